/**
 * A pool whose workers are killed all the time, while it runs many tasks given in every form of call.
 *
 * Each task has to settle exactly once: with its own result, or, where it is not tried again, with the death of its worker, or,
 * where its signal fired, with that. No death may cost more than one task, and none may be begun twice that is not tried again.
 *
 * @module
 */
import { getEventListeners } from 'node:events'
import { type Pool, ProcessPoolExecutor } from '@mp/pool'
import { Process, type StartMethod } from '@mp/process'
import { SharedArray } from '@mp/shared-memory'
import type { Random } from 'mp-internal'
import { Ledger, type Terms } from './ledger.js'
import { KILLER, killWorkers } from './killer.js'
import { keepTally, work, workLater } from './tasks.js'

export interface PoolStormOptions {
  readonly tasks: number
  readonly everyMs: number
  readonly processes: number
  readonly startMethod: StartMethod
  readonly random: Random
  readonly onProgress: (line: string) => void
}

export interface PoolStormReport {
  readonly seconds: number
  readonly kills: number
  /** How often nobody was killed, because nothing was done since the last time. */
  readonly spared: number
  readonly ledger: Ledger
}

/** Tasks are given so many at a time. */
const BATCH = 100
/** Not so many more wait. */
const QUEUED = 5000
/** A task is tried again so often: more than there are kills. */
const RETRIES = 1_000_000
/** When nothing settles for so long, it hangs. */
const PATIENCE_MS = 20_000

type Form = (first: number, count: number, terms: Terms, signal?: AbortSignal) => Promise<void>

export class PoolStorm {
  readonly #options: PoolStormOptions
  readonly #executor: ProcessPoolExecutor
  readonly #pool: Pool
  readonly #ledger: Ledger
  readonly #begun: SharedArray<Int32Array>
  readonly #ended: SharedArray<Int32Array>
  readonly #wasRetried: Uint8Array
  readonly #signals: AbortSignal[] = []
  readonly #killer = new SharedArray(Int32Array, KILLER.length)

  constructor(options: PoolStormOptions) {
    this.#options = options
    const { tasks, processes, startMethod } = options
    this.#begun = new SharedArray(Int32Array, tasks)
    this.#ended = new SharedArray(Int32Array, tasks)
    this.#wasRetried = new Uint8Array(tasks)
    this.#ledger = new Ledger(tasks)
    this.#executor = new ProcessPoolExecutor({
      processes,
      startMethod,
      grace: options.random.pick([0, 20]),
      initializer: keepTally,
      initArgs: [this.#begun, this.#ended],
    })
    this.#pool = this.#executor.pool
  }

  async run(): Promise<PoolStormReport> {
    const { tasks, everyMs, random, onProgress } = this.#options
    const started = performance.now()
    const killer = new Process({
      target: killWorkers,
      args: [this.#pool, this.#killer, everyMs, random.integer(0, 1e9)],
      startMethod: 'thread',
    }).start()
    const progress = setInterval(() => onProgress(this.#line(started)), 5000)
    const hang = new Hang(() => this.#ledger.count)
    try {
      await Promise.race([this.#give(tasks), hang.noticed])
    } catch (error) {
      this.#ledger.problem(`${String(error)}; ${JSON.stringify(this.#pool.stats().tasks)}`)
    } finally {
      clearInterval(progress)
      hang.stop()
      Atomics.store(this.#killer.array, KILLER.isOver, 1)
      if ((await killer.join()) !== 0) this.#ledger.problem('the killer has failed')
    }
    await this.#checkEnd()
    const seconds = (performance.now() - started) / 1000
    const spared = this.#killer.array[KILLER.spared]
    return { seconds, kills: this.#kills, spared, ledger: this.#ledger }
  }

  get #kills(): number {
    return Atomics.load(this.#killer.array, KILLER.kills)
  }

  async #give(tasks: number): Promise<void> {
    const { random } = this.#options
    const forms = Object.values(this.#forms())
    const all: Promise<void>[] = []
    for (let first = 0; first < tasks; first += BATCH) {
      await this.#pool.room({ queued: QUEUED })
      const count = Math.min(BATCH, tasks - first)
      const isRetried = random.chance(0.5)
      if (isRetried) this.#wasRetried.fill(1, first, first + count)
      const reason = random.chance(0.2) ? new Error(`batch ${first}`) : undefined
      const signal = reason === undefined ? undefined : this.#abortLater(reason)
      all.push(random.pick(forms)(first, count, { isRetried, reason }, signal))
    }
    await Promise.all(all)
  }

  #abortLater(reason: Error): AbortSignal {
    const controller = new AbortController()
    setTimeout(() => controller.abort(reason), this.#options.random.integer(0, 20)).unref()
    this.#signals.push(controller.signal)
    return controller.signal
  }

  /** Each gives tasks to the pool, and enters what becomes of them. */
  #forms(): Record<string, Form> {
    const pool = this.#pool
    const ledger = this.#ledger
    const fn = (n: number) => (n % 3 === 0 ? workLater : work)
    const options = (terms: Terms, signal: AbortSignal | undefined) => ({
      retries: terms.isRetried ? RETRIES : 0,
      ...(signal === undefined ? {} : { signal }),
    })
    const enter = (n: number, result: PromiseLike<number>, terms: Terms): PromiseLike<void> =>
      result.then(
        (value) => ledger.fulfil(n, value),
        (error: unknown) => ledger.reject(n, error, terms),
      )
    const each = async (
      first: number,
      count: number,
      call: (n: number) => PromiseLike<void>,
    ): Promise<void> => {
      await Promise.all(Array.from({ length: count }, (_, i) => call(first + i)))
    }
    const items = (first: number, count: number): number[] =>
      Array.from({ length: count }, (_, i) => first + i)
    return {
      apply: (first, count, terms, signal) =>
        each(first, count, (n) => enter(n, pool.apply(fn(n), [n], options(terms, signal)), terms)),
      applyAsync: (first, count, terms, signal) =>
        each(first, count, (n) =>
          enter(n, pool.applyAsync(fn(n), [n], options(terms, signal)), terms),
        ),
      map: async (first, count, terms, signal) => {
        const how = { ...options(terms, signal), chunkSize: 7, settle: true } as const
        const outcomes = await pool.map(work, items(first, count), how)
        outcomes.forEach((outcome, i) => {
          if (outcome.status === 'fulfilled') ledger.fulfil(first + i, outcome.value)
          else ledger.reject(first + i, outcome.reason, terms)
        })
      },
      imap: async (first, count, terms, signal) => {
        const how = { ...options(terms, signal), chunkSize: 5 }
        const results = pool.imap(workLater, items(first, count), how)
        for (let n = first; n < first + count; n++) {
          await enter(
            n,
            results.next().then(({ value }) => value as number),
            terms,
          )
        }
      },
      // An executor's calls are not tried again and have no signal.
      submit: (first, count, { isRetried }) => {
        if (isRetried) {
          return each(first, count, (n) =>
            enter(n, pool.apply(work, [n], { retries: RETRIES }), RETRIED),
          )
        }
        return each(first, count, (n) => enter(n, this.#executor.submit(fn(n), n), NOT_RETRIED))
      },
    }
  }

  async #checkEnd(): Promise<void> {
    const ledger = this.#ledger
    const { tasks } = this.#options
    const { queued, running, submitted, completed, failed } = this.#pool.stats().tasks
    const counts = { queued, running, unsettled: submitted - completed - failed }
    if (Object.values(counts).some((count) => count !== 0)) {
      ledger.problem(`the pool counts ${JSON.stringify(counts)} in the end`)
    }
    ledger.check(tasks, this.#begun.array, this.#ended.array, this.#wasRetried)
    if (ledger.losses.size > this.#kills) {
      ledger.problem(`${this.#kills} deaths have cost ${ledger.losses.size} tasks`)
    }
    const listening = this.#signals.filter((one) => getEventListeners(one, 'abort').length > 0)
    if (listening.length > 0) ledger.problem(`${listening.length} signals are listened to still`)
    const after = await this.#pool.apply(Math.max, [1, 2]).catch(String)
    if (after !== 2) ledger.problem(`after the storm the pool gives ${after}`)
    this.#pool.terminate()
    await this.#pool.join({ timeout: 10_000 })
  }

  #line(started: number): string {
    const seconds = Math.round((performance.now() - started) / 1000)
    const { count, lost, aborted } = this.#ledger
    return `${seconds} s: ${count} settled, ${lost} lost, ${aborted} aborted, ${this.#kills} killed`
  }
}

const RETRIED: Terms = { isRetried: true, reason: undefined }
const NOT_RETRIED: Terms = { isRetried: false, reason: undefined }

/** Notices that nothing happens any more. */
class Hang {
  readonly noticed: Promise<never>
  #timer: NodeJS.Timeout | undefined

  constructor(count: () => number) {
    let last = -1
    this.noticed = new Promise((_, reject) => {
      this.#timer = setInterval(() => {
        if (count() === last) reject(new Error(`nothing has settled for ${PATIENCE_MS} ms`))
        last = count()
      }, PATIENCE_MS)
    })
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
