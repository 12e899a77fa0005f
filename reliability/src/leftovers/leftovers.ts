/**
 * Kills process trees at random moments, and looks what is left: nothing may be.
 *
 * A block of memory with a name is the one exception: if all its users are killed at once nobody can take its name
 * away. The next start does, which is played here by making a block; one that is in use stays.
 *
 * @module
 */
import { SharedMemory } from '@mp/shared-memory'
import { becomes, killProcess, marked } from 'mp-internal'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Random } from 'mp-internal'

const TREE = fileURLToPath(new URL('./tree-program.js', import.meta.url))
/** How many processes a tree has: they say so when they are there. */
const TREE_SIZE = 5
/** How long a tree may take to stand. */
const START_MS = 60_000
/** How long the rest may outlive the root: a process that is just being started ends only when Node stands. */
const GONE_MS = 10_000

/** What is killed: all at once, the root alone, or one after the other at random. */
export const VICTIMS = ['all', 'root', 'some'] as const
export type Victims = (typeof VICTIMS)[number]

export interface TreeReport {
  readonly victims: Victims
  /** How many processes there were when the first was killed. */
  readonly processes: number
  /** From the last kill until no process was left, in milliseconds. */
  readonly goneMs: number
  /** Whether a block was left for the next start to sweep. */
  readonly swept: boolean
  readonly problems: readonly string[]
}

/** A folder for blocks, a folder for the rest, and a block that is in use all the time. */
export class Ground {
  readonly #blocks: string
  readonly #temporary: string
  readonly #live: SharedMemory

  constructor() {
    const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
    this.#blocks = mkdtempSync(join(place, 'mp-leftovers-'))
    this.#temporary = mkdtempSync(join(tmpdir(), 'mp-leftovers-'))
    process.env['MP_SHARED_MEMORY_DIR'] = this.#blocks
    this.#live = new SharedMemory({ create: true, size: 4_096, name: 'live' })
    new Uint8Array(this.#live.buffer).fill(7)
  }

  /** Lets a tree stand, kills it, and says what is left. */
  async killTree(random: Random): Promise<TreeReport> {
    const mark = { name: 'MP_LEFTOVERS', value: randomUUID() }
    const name = `tree-${mark.value}`
    const victims = random.pick(VICTIMS)
    const env = { ...process.env, TMPDIR: this.#temporary, [mark.name]: mark.value }
    const root = spawn(process.execPath, [TREE, name], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    await untilThere(root, random.integer(0, TREE_SIZE))
    await sleep(random.integer(0, 60))
    const pids = marked(mark).map(({ pid }) => pid)
    for (const pid of choose(victims, root.pid ?? 0, pids, random)) {
      killProcess(pid)
      if (victims === 'some') await sleep(random.integer(0, 20))
    }
    const killedAt = performance.now()
    const isGone = await becomes(() => marked(mark).length === 0, GONE_MS)
    const goneMs = performance.now() - killedAt
    const problems: string[] = []
    if (!isGone) {
      for (const { pid, command } of marked(mark)) {
        problems.push(`process ${pid} is left: ${command}`)
        killProcess(pid)
      }
    }
    const swept = await this.#sweep(name, problems)
    for (const file of readdirSync(this.#temporary)) {
      if (!CACHES.test(file))
        problems.push(`file ${file} is left in the folder for temporary files`)
    }
    return { victims, processes: pids.length, goneMs, swept, problems }
  }

  /** Ends it; says what is left of it. */
  end(): string[] {
    this.#live.close()
    this.#live.unlink()
    const left = readdirSync(this.#blocks)
    rmSync(this.#blocks, { recursive: true })
    rmSync(this.#temporary, { recursive: true })
    return left.map((file) => `${file} is left in the folder for blocks`)
  }

  /** What the next start does; the live block stays. */
  async #sweep(name: string, problems: string[]): Promise<boolean> {
    const before = this.#files()
    // A process shows nothing of itself any more a moment before its locks are gone.
    const isSwept = await becomes(() => {
      const next = new SharedMemory({ create: true, size: 4_096 })
      next.close()
      next.unlink()
      return this.#files().join() === 'live.block'
    }, GONE_MS)
    if (!isSwept) problems.push(`not swept: ${this.#files().join()}`)
    const again = new SharedMemory({ name: 'live' })
    if (new Uint8Array(again.buffer)[4_095] !== 7) problems.push('the block in use is another')
    again.close()
    return before.includes(`${name}.block`)
  }

  #files(): string[] {
    return readdirSync(this.#blocks).flatMap((folder) => readdirSync(join(this.#blocks, folder)))
  }
}

/** Caches of Node, which it keeps in the directory for temporary files. */
const CACHES = /^node-compile-cache$/

/** How much shared memory the machine has in use, in bytes; not only ours. */
export function sharedBytes(): number {
  const match = /^Shmem: +(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))
  return Number(match?.[1]) * 1024
}

/** The semaphores and segments of System V, and those of POSIX: we use none. */
export function semaphores(): string {
  const tables = ['sem', 'shm'].map((table) => readFileSync(`/proc/sysvipc/${table}`, 'utf8'))
  const named = existsSync('/dev/shm')
    ? readdirSync('/dev/shm').filter((file) => file.startsWith('sem.'))
    : []
  return [...tables.map((table) => table.trim().split('\n').length - 1), named.length].join()
}

/** Waits until so many processes of the tree say that they are there; throws when the tree does not stand. */
async function untilThere(root: ChildProcess, count: number): Promise<void> {
  let lines = 0
  let errors = ''
  root.stdout?.on('data', (data: Buffer) => {
    lines += data.toString().split('\n').length - 1
  })
  root.stderr?.on('data', (data: Buffer) => {
    errors += data.toString()
  })
  const isOver = (): boolean => root.exitCode !== null || errors !== ''
  const isThere = await becomes(() => lines >= count || isOver(), START_MS)
  if (isThere && !isOver()) return
  root.kill('SIGKILL')
  throw new Error(
    `the tree does not stand: ${lines} of ${count} came; exit code ${root.exitCode}; ${errors}`,
  )
}

/** Whom to kill, in which order. */
function choose(victims: Victims, root: number, pids: readonly number[], random: Random): number[] {
  if (victims === 'root') return [root]
  const order = pids.map((pid) => ({ pid, at: random.next() })).toSorted((a, b) => a.at - b.at)
  const shuffled = order.map(({ pid }) => pid)
  if (victims === 'all') return shuffled
  // The root last: without it the rest ends by itself.
  const others = shuffled.filter((pid) => pid !== root)
  return [...others.slice(0, random.integer(1, Math.max(1, others.length))), root]
}
