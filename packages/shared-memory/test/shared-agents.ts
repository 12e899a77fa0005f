/**
 * Starts agents for the tests of shared objects, and tells what of the session's memory is in use.
 *
 * Whatever a test has started is ended after it, and has to have left the session then.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { serialize, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { AT, HEADER, isDead, session, tagSlot } from '@mp/shared-memory/internal'
import { isBareRun } from 'mp-internal'
import { afterEach, beforeAll } from 'vitest'
import { decode, encode } from './fixtures/shared-transport.mjs'

export type Kind = 'process' | 'thread'
export const kinds: readonly Kind[] = isBareRun ? ['thread'] : ['process', 'thread']

const DEADLINE_MS = 20_000

export interface RemoteAgent {
  /** Its tag in the session. */
  readonly tag: number
  /** What the scenario gave; rejects with what it threw. */
  readonly result: Promise<any>
  /** SIGKILL, or the end of the thread; resolves when it is over and was reaped. */
  kill(): Promise<void>
}

const running = new Set<RemoteAgent>()

beforeAll(() => {
  // The watch thread's descriptor stays: it is made on first use.
  const { deathWatch } = session()
  if (!isBareRun) deathWatch.unwatch(deathWatch.watch(process.pid) ?? 0)
})

afterEach(async () => {
  const left = [...running]
  running.clear()
  await Promise.all(left.map((agent) => agent.kill()))
  for (const { tag } of left) {
    if (!isDead(session().words, tag))
      throw new Error(`Agent ${tagSlot(tag)} is left in the session`)
  }
})

/** Starts an agent, and waits until it has joined the session. */
export async function start(
  kind: Kind,
  scenario: string,
  ...args: unknown[]
): Promise<RemoteAgent> {
  return startEncoded(kind, scenario, encode(args))
}

/** As `start`, with arguments that are on their way already. */
export async function startEncoded(
  kind: Kind,
  scenario: string,
  args: unknown,
): Promise<RemoteAgent> {
  // Where there are no processes, threads take their place.
  if (isBareRun) kind = 'thread'
  const { agent, native, deathWatch } = session()
  const task = { parent: agent.tag, fd: kind === 'process' ? 3 : undefined, scenario, args }
  const main = new URL('fixtures/shared-agent.mjs', import.meta.url)
  const child: ChildProcess | Worker =
    kind === 'process'
      ? spawn(process.execPath, [main.pathname, serialize(task).toString('base64')], {
          stdio: ['ignore', 'inherit', 'inherit', native.fd(), 'ipc'],
        })
      : startWorker(main, task)
  if (!(child instanceof Worker)) deathWatch.watch(child.pid as number)
  const over = once(child, 'exit').then(() => session().reaper.reapAll())
  const joined = deferred<number>()
  const result = deferred<unknown>()
  child.on('message', (message: { tag?: number; result?: unknown; failed?: string }) => {
    if (message.tag !== undefined) joined.resolve(message.tag)
    else if (message.failed !== undefined) result.reject(new Error(message.failed))
    else result.resolve(decode(message.result))
  })
  child.on('error', result.reject)
  void over.then(() => result.reject(new Error(`The agent of ${scenario} ended without a result`)))
  // Those that look at it see it fail; a test that kills its agent does not.
  result.promise.catch(() => {})
  const remote: RemoteAgent = {
    tag: await withDeadline(`${scenario} to join`, joined.promise),
    result: withDeadline(`the result of ${scenario}`, result.promise),
    async kill() {
      if (child instanceof Worker) await child.terminate()
      else child.kill('SIGKILL')
      await over
    },
  }
  remote.result.catch(() => {})
  running.add(remote)
  return remote
}

interface Deferred<T> {
  readonly promise: Promise<T>
  resolve(value: T | Promise<T>): void
  reject(error: unknown): void
}

function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve']
  let reject!: Deferred<T>['reject']
  const promise = new Promise<T>((...settle) => ([resolve, reject] = settle))
  return { promise, resolve, reject }
}

/** Starts an agent and gives what it gave, when it is over. */
export async function run(kind: Kind, scenario: string, ...args: unknown[]): Promise<any> {
  const agent = await start(kind, scenario, ...args)
  return agent.result
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

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Collects what is not reachable until it is so; finalizers run in between. */
export async function untilCollected(what: string, isSo: () => boolean): Promise<void> {
  await until(what, () => {
    if (!isSo()) collect()
    return isSo()
  })
}

/** Waits until no page is in use any more: what earlier tests have left is collected. */
export async function untilEmpty(): Promise<void> {
  await untilCollected('all pages are free', () => pagesInUse() === 0)
}

/** A few collections: for what must not happen, however often garbage is collected. */
export async function collectOften(): Promise<void> {
  for (let n = 0; n < 5; n++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** How many data pages are in use. */
export function pagesInUse(): number {
  const { pages, words } = session()
  const end = Atomics.load(words, HEADER.highPage)
  let used = 0
  for (let page = 0; page < end; page++) if (pages.arena.owner(page) !== 0) used++
  return used
}

/** How many units of words are in use. */
export function unitsInUse(): number {
  const { words } = session()
  const end = Atomics.load(words, HEADER.highUnit)
  let used = 0
  for (let unit = 0; unit < end; unit++) if (Atomics.load(words, AT.unitTable + unit) !== 0) used++
  return used
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
