/**
 * Measures one way to start processes: `node starts.js SPEC`.
 *
 * @module
 */
import { Process, type StartMethod } from '@mp/process'
import { Event } from '@mp/sync'
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { shareOf, shareOfTree } from './memory.js'
import { ensure, median } from './spec.js'

/** What is measured; `python/starts.py` reads the same. */
export interface StartSpec {
  readonly way:
    | 'forkserver'
    | 'spawn'
    | 'thread'
    | 'node'
    | 'fork'
    | 'worker'
    | 'python-forkserver'
    | 'python-spawn'
    | 'python-fork'
  /**
   * `one`: milliseconds from a start until the end has been heard of, the median of `count`. `many`: the same for
   * `count` at once. `memory`: bytes of one that waits, of `count` at once.
   */
  readonly what: 'one' | 'many' | 'memory'
  readonly count: number
}

/** One that waits. A thread has no process of its own. */
interface Waiting {
  readonly pid?: number
  end(): Promise<void>
}

interface Way {
  /** Starts one that does nothing, and waits for its end. */
  run(): Promise<void>
  /** Starts one that waits. */
  wait(): Promise<Waiting>
}

const NOTHING = fileURLToPath(new URL('nothing.js', import.meta.url))
const WAITING = fileURLToPath(new URL('waiting.js', import.meta.url))

/** For how long starts come first that are not counted, for everybody. */
const WARM_UP_MS = 500

const { way, what, count } = JSON.parse(process.argv[2]) as StartSpec
const { run, wait } = wayOf(way)
process.stdout.write(`${await { one, many, memory }[what]()}\n`)

async function one(): Promise<number> {
  for (const end = performance.now() + WARM_UP_MS; performance.now() < end;) await run()
  const times: number[] = []
  for (let i = 0; i < count; i++) times.push(await timed(run))
  return median(times)
}

async function many(): Promise<number> {
  await run()
  return timed(() => Promise.all(Array.from({ length: count }, run)))
}

async function memory(): Promise<number> {
  await run()
  const before = shareOfTree()
  const all = await Promise.all(Array.from({ length: count }, wait))
  const shares = all.map(({ pid }) => pid).filter((pid) => pid !== undefined && pid !== process.pid)
  const share =
    shares.length === 0
      ? (shareOfTree() - before) / count
      : median(shares.map((pid) => shareOf(pid as number)))
  for (const { end } of all) await end()
  return share
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const before = performance.now()
  await act()
  return performance.now() - before
}

function wayOf(name: StartSpec['way']): Way {
  switch (name) {
    case 'node':
      return {
        run: () => ended(spawn(process.execPath, [NOTHING], { stdio: 'inherit' })),
        wait: async () => {
          const child = spawn(process.execPath, [WAITING], { stdio: ['pipe', 'pipe', 'inherit'] })
          await once(child.stdout, 'data')
          return { pid: child.pid, end: () => endOf(child, () => child.stdin.end()) }
        },
      }
    case 'fork':
      return {
        run: () => ended(fork(NOTHING)),
        wait: async () => {
          const child = fork(WAITING)
          await once(child, 'message')
          return { pid: child.pid, end: () => endOf(child, () => child.send('end')) }
        },
      }
    case 'worker':
      return {
        run: () => ended(new Worker(NOTHING)),
        wait: async () => {
          const worker = new Worker(WAITING)
          await once(worker, 'message')
          return { end: () => endOf(worker, () => worker.postMessage('end')) }
        },
      }
    default:
      return ours(name as StartMethod)
  }
}

function ours(startMethod: StartMethod): Way {
  // One function for all, as in the programs beside it: what a new one costs is measured for itself.
  const nothing = (): void => {}
  const target = async (ready: Event, go: Event): Promise<void> => {
    ready.set()
    await go.wait()
  }
  return {
    run: () => ends(new Process({ target: nothing, startMethod }).start()),
    wait: async () => {
      const [ready, go] = [new Event(), new Event()]
      const child = new Process({ target, args: [ready, go], startMethod }).start()
      await ready.wait()
      return {
        pid: startMethod === 'thread' ? undefined : child.pid,
        end: () => {
          go.set()
          return ends(child)
        },
      }
    },
  }
}

async function ends(child: Process): Promise<void> {
  await child.join()
  ensure(child.exitCode === 0, `A child ended with ${child.exitCode}`)
}

async function endOf(child: ChildProcess | Worker, tell: () => void): Promise<void> {
  const end = ended(child)
  tell()
  await end
}

async function ended(child: ChildProcess | Worker): Promise<void> {
  const [code] = (await once(child, 'exit')) as [number | null]
  ensure(code === 0, `A child ended with ${code}`)
}
