/**
 * The files of listeners: a private folder for one that was given no address, and who removes them.
 *
 * They go when the listener is closed, or when its thread ends in an orderly way. What a killed
 * process leaves behind goes when the next folder is made: its name says whose it was.
 *
 * @module
 */
import { lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MAX_PATH } from './address.js'
import { errnoOf } from './reader.js'

/** A folder's name: the namespace of its process, the process, when that was started; and what makes it unique. */
const NAME = /^mp-listener-([\da-z]+)-([\da-z]+)-([\da-z]+)-.{6}$/
const SOCKET = 'socket'
/** Longer than any. */
const LONGEST = 'mp-listener-zzzzzzz-zzzzz-zzzzzzzzz-XXXXXX'
const RADIX = 36

/** What to remove at the end of this thread. */
const cleaners = new Set<() => void>()

/** A path that nobody else has, in a folder that only this user can enter. */
export class OwnPath {
  readonly path: string
  readonly #folder: string

  constructor() {
    const parent = shortEnough(tmpdir())
    sweep(parent)
    const { pid } = process
    const name = [namespace(), pid.toString(RADIX), startOf(pid)].join('-')
    // mkdtemp makes folders with mode 0700.
    this.#folder = mkdtempSync(join(parent, `mp-listener-${name}-`))
    this.path = join(this.#folder, SOCKET)
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Removes a file that may be gone already. */
export function removeFile(path: string): void {
  rmSync(path, { force: true })
}

/** Calls it at the end of this thread, unless what is returned is called before. */
export function cleanAtExit(clean: () => void): () => void {
  if (cleaners.size === 0) process.once('exit', cleanAll)
  cleaners.add(clean)
  return () => {
    if (cleaners.delete(clean) && cleaners.size === 0) process.removeListener('exit', cleanAll)
  }
}

function cleanAll(): void {
  for (const clean of cleaners) clean()
}

function shortEnough(folder: string): string {
  return Buffer.byteLength(join(folder, LONGEST, SOCKET)) <= MAX_PATH ? folder : '/tmp'
}

/** Removes the folders of this user's processes that have ended. */
function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const [, where, pid = '', start] = NAME.exec(name) ?? []
    // The processes of another namespace cannot be seen from here.
    if (where !== namespace() || startOf(parseInt(pid, RADIX)) === start) continue
    const folder = join(parent, name)
    if (isOwn(folder)) rmSync(folder, { recursive: true, force: true })
  }
}

function isOwn(folder: string): boolean {
  try {
    const stats = lstatSync(folder)
    return stats.isDirectory() && stats.uid === process.geteuid?.()
  } catch (error) {
    // Somebody else is sweeping.
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}

/** The number of the namespace in which this process has its id; see pid_namespaces(7). */
function namespace(): string {
  const [digits = '0'] = /\d+/.exec(readlinkSync('/proc/self/ns/pid')) ?? []
  return Number(digits).toString(RADIX)
}

/** When a process was started, in ticks since the boot: with its id that is one process only. Undefined when it has ended. */
function startOf(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
  // The 22nd field; the second one, in parentheses, may hold anything. See proc_pid_stat(5).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[19]).toString(RADIX)
}
