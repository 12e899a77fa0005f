/**
 * The processes that a test has started, found in `/proc`.
 *
 * Ours is what descends from this process, which one that has lost its parent no longer does; and
 * what has a mark in its environment, which one that was given another environment has not.
 *
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs'

/** A process, also one that has ended and was not waited for. */
export interface FoundProcess {
  readonly pid: number
  readonly parentPid: number
  /** As `ps` shows it; `Z`: it has ended, and its parent has not asked how. */
  readonly state: string
  /** Its command line, for people. */
  readonly command: string
}

/** A variable in the environment of whatever a test starts. */
export interface Mark {
  readonly name: string
  readonly value: string
}

/** Finds the processes that were started with this mark, but for this one. It does not find those that have ended. */
export function marked(mark: Mark): FoundProcess[] {
  return bear(mark, listProcesses()).map(describe)
}

/** Finds the processes that descend from this one, also those that have ended, and the marked ones. */
export function ours(mark: Mark): FoundProcess[] {
  const all = listProcesses()
  const found = new Set(descend(all))
  const others = all.filter((one) => !found.has(one))
  return [...found, ...bear(mark, others)].map(describe)
}

/** Sends SIGKILL; one that is gone is none the worse. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

type Listed = Omit<FoundProcess, 'command'> & { name: string }

function listProcesses(): Listed[] {
  const all: Listed[] = []
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const pid = Number(entry)
    // "pid (name) state ppid …"; the name may hold anything, also parentheses.
    const match = /^\d+ \((.*)\) (\S) (\d+) /s.exec(readProc(pid, 'stat')?.toString() ?? '')
    if (match === null) continue
    const [, name = '', state = '', parentPid] = match
    all.push({ pid, parentPid: Number(parentPid), state, name })
  }
  return all
}

function descend(all: readonly Listed[]): Listed[] {
  const pids = new Set([process.pid])
  const found: Listed[] = []
  // A parent may come after its child in the list.
  for (let size = 0; size < pids.size;) {
    size = pids.size
    for (const one of all) {
      if (!pids.has(one.parentPid) || pids.has(one.pid)) continue
      pids.add(one.pid)
      found.push(one)
    }
  }
  return found
}

function bear({ name, value }: Mark, all: readonly Listed[]): Listed[] {
  const entry = Buffer.from(`${name}=${value}\0`)
  return all.filter(({ pid }) => pid !== process.pid && readProc(pid, 'environ')?.includes(entry))
}

/** The arguments of a process, or its name when it has none any more. */
function describe({ name, ...one }: Listed): FoundProcess {
  const argv = readProc(one.pid, 'cmdline')?.toString().replaceAll('\0', ' ').trim()
  return { ...one, command: argv || name }
}

/** Null for a process that has just ended, and for what somebody else's does not show. */
function readProc(pid: number, file: string): Buffer | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return null
    throw error
  }
}
