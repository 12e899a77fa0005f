/**
 * Starts agents for tests: child processes, and worker threads, that run a scenario.
 *
 * A scenario is an export of a fixture module; its arguments may be handles. Whatever a test has
 * started is ended after it, and has to have left the session then.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { serialize } from 'node:v8'
import { Worker } from 'node:worker_threads'
import {
  type SharedObject,
  SLOT,
  isDead,
  session,
  slotWord,
  tagSlot,
} from '@mp/shared-memory/internal'
import { isBareRun } from 'mp-internal'
import { afterEach } from 'vitest'
import { encode } from './fixtures/transport.mjs'

export type Kind = 'process' | 'thread'
export const kinds: readonly Kind[] = isBareRun ? ['thread'] : ['process', 'thread']

const DEADLINE_MS = 20_000

interface Message {
  joined?: number
  result?: unknown
  failed?: { name: string; code?: string; message: string; stack: string }
}

export interface RemoteAgent {
  /** Its tag in the session. */
  readonly tag: number
  /** What the scenario gave; rejects with what it threw. */
  readonly result: Promise<any>
  /** SIGKILL, or the end of the thread; resolves when it is over. */
  kill(): Promise<void>
  /** Sends a signal to a process. */
  signal(name: NodeJS.Signals): void
}

const running = new Set<RemoteAgent>()

/** What the tests of a file may change. */
export const habits = {
  /** Whether this thread reaps an agent when its event loop hears of the end, as whoever uses `Process` does. */
  reapsAtExit: true,
}

afterEach(async () => {
  const left = [...running]
  running.clear()
  await Promise.all(left.map((agent) => agent.kill()))
  const { words, reaper } = session()
  reaper.reapAll()
  for (const { tag } of left) {
    if (!isDead(words, tag)) throw new Error(`Agent ${tagSlot(tag)} is left in the session`)
  }
})

/** Starts an agent, and waits until it has joined the session. */
export async function start(
  kind: Kind,
  fixture: string,
  scenario: string,
  ...args: unknown[]
): Promise<RemoteAgent> {
  // Where there are no processes, threads take their place.
  if (isBareRun) kind = 'thread'
  const { agent, native, deathWatch } = session()
  const task = {
    parent: agent.tag,
    fd: kind === 'process' ? 3 : undefined,
    module: new URL(`fixtures/${fixture}`, import.meta.url).href,
    scenario,
    args: encode(args),
  }
  const main = new URL('fixtures/agent.mjs', import.meta.url)
  const child: ChildProcess | Worker =
    kind === 'process'
      ? spawn(process.execPath, [main.pathname, serialize(task).toString('base64')], {
          stdio: ['ignore', 'inherit', 'inherit', native.fd(), 'ipc'],
        })
      : startWorker(main, task)
  // As whoever starts a process does: it hears of its death.
  if (!(child instanceof Worker)) deathWatch.watch(child.pid as number)
  // It sees the end of it, and recovers what it held.
  const over = new Promise<void>((resolve) => {
    // Not `once`: it fails when an uncaught error ends a thread.
    child.on('exit', () => {
      if (habits.reapsAtExit) session().reaper.reapAll()
      resolve()
    })
  })
  // A process's last message may come after its end.
  const silent = child instanceof Worker ? over : once(child, 'disconnect')
  let joined!: (tag: number) => void
  const tag = new Promise<number>((resolve) => (joined = resolve))
  const result = withDeadline(
    `the result of ${scenario}`,
    new Promise<unknown>((resolve, reject) => {
      child.on('message', (message: Message) => {
        if (message.joined !== undefined) joined(message.joined)
        if (message.failed !== undefined) {
          reject(Object.assign(new Error(message.failed.stack), { code: message.failed.code }))
        } else if ('result' in message) resolve(message.result)
      })
      child.on('error', reject)
      void Promise.all([over, silent]).then(() =>
        reject(new Error(`The agent of ${scenario} ended without a result`)),
      )
    }),
  )
  // Those that look at it see it fail; a test that kills its agent does not.
  result.catch(() => {})
  const remote: RemoteAgent = {
    tag: await withDeadline(`${scenario} to join`, tag),
    result,
    async kill() {
      if (child instanceof Worker) await child.terminate()
      else child.kill('SIGKILL')
      await over
    },
    signal(name) {
      if (child instanceof Worker) throw new Error('A thread gets no signals')
      child.kill(name)
    },
  }
  running.add(remote)
  return remote
}

/** Rejects when something takes longer than any test may. */
export async function withDeadline<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited too long for ${what}`)), DEADLINE_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Looks again and again until it is so. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const { native } = session()
  const end = native.now() + DEADLINE_MS
  while (!isSo()) {
    if (native.now() > end) throw new Error(`Waited too long until ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Lets time pass on the session's clock: the fairness of locks goes by it. */
export async function pass(milliseconds: number): Promise<void> {
  const end = session().native.now() + milliseconds
  await until('time has passed', () => session().native.now() > end)
}

/** Whether the agent stands in a wait set of the object and sleeps, or has told its waiter thread to listen. */
export function isWaiting(object: SharedObject, { tag }: { tag: number }, set = 16): boolean {
  const { words } = session()
  const slot = tagSlot(tag)
  const bits = Atomics.load(words, object.handle.base + set + (slot >>> 5))
  return (
    (bits & (1 << (slot & 31))) !== 0 && Atomics.load(words, slotWord(slot) + SLOT.parked) !== 0
  )
}

/** Waits until the agent waits at the object. */
export async function untilWaiting(
  object: SharedObject,
  agent: { tag: number },
  set = 16,
): Promise<void> {
  await until(`agent ${tagSlot(agent.tag)} waits`, () => isWaiting(object, agent, set))
}

/** This thread, as an agent. */
export function self(): { tag: number } {
  return { tag: session().agent.tag }
}

/** As `@mp/process` starts a thread: without the addon it has a line. */
function startWorker(main: URL, task: object): Worker {
  const lifeline = session().native.bare?.openLine()
  if (lifeline === undefined) return new Worker(main, { workerData: task })
  const { line } = lifeline
  const worker = new Worker(main, {
    workerData: { ...task, mpLine: line },
    transferList: [line.port],
  })
  lifeline.attach(worker)
  return worker
}
