/**
 * The two ways to wait: asleep in a blocking call, or as a promise.
 *
 * Both take an `attempt` that either gets what is waited for or answers
 * `PENDING`, and follow one rule: arm, attempt again, sleep; after any wake, look
 * again. A waiter that leaves and finds that a wake was already spent on it
 * passes the wake on.
 *
 * Asynchronous waiters of one agent stand in a queue of their own for each wait
 * set, in plain JavaScript: it dies with the agent, and shared memory sees at
 * most one bit for all of them.
 *
 * @module
 */
import { type Agent, SLICE_MS } from './agent.js'
import type { WaitOptions } from './arguments.js'
import { PARKED } from './layout.js'
import type { Spinning } from './spinning.js'
import type { WaitSet } from './wait-set.js'

/** What an attempt answers when it has to wait. */
// Registered, so that it is one for all copies of this module in a thread (see `place` in session.ts).
export const PENDING: unique symbol = Symbol.for('@mp/shared-memory/pending') as never
export type Pending = typeof PENDING

/** Something to wait for. */
export interface Waitable<T> {
  readonly set: WaitSet
  /** Tries once, without waiting and without calling user code. May throw; that ends the wait. */
  attempt(): T | Pending
  /** Whether another waiter could succeed now; asked when a wake may have to be passed on. */
  available(): boolean
  /** The longest sleep before looking again, in milliseconds; left out: until woken. */
  recheckMs?(): number
  /** How long a blocking wait looks before it sleeps, and whether that has paid; left out: as the agent does. */
  readonly spinning?: Spinning
  /** Called when this agent waits no longer and got nothing, before a spent wake is passed on. */
  abandon?(): void
}

interface Waiter {
  attempt(): unknown
  readonly since: number
  settle(result: unknown): void
  fail(error: unknown): void
}

interface Line {
  readonly waitable: Waitable<unknown>
  readonly waiters: Waiter[]
  /** Whether our bit was set and we have not taken it back (a waker may have). */
  armed: boolean
  recheck: NodeJS.Timeout | undefined
}

/** What waiting needs of the rest of the agent. */
export interface WaiterHooks {
  /** Starts the waiter thread if there is none: it calls `onBell` when the bell rings while `parked` says so. */
  start(): void
  /** How many asynchronous waits there are: the event loop stays alive for them. */
  setPending(count: number): void
  /** Looks for deaths; `probe` when nothing but the time says that somebody may have died. */
  noticeDeaths(probe: boolean): boolean
  /** Whether deaths may happen of which nobody tells. */
  mustProbe(): boolean
}

export class Waiting {
  readonly #agent: Agent
  readonly #hooks: WaiterHooks
  readonly #lines = new Map<number, Line>()
  #pending = 0
  #drainQueued = false
  /** Whether a death was noticed of which the asynchronous waiters have not heard. */
  #hasNews = false
  /** Looks for deaths, where nobody tells of them. */
  #prober: NodeJS.Timeout | undefined
  #probedAt = -Infinity

  constructor(agent: Agent, hooks: WaiterHooks) {
    this.#agent = agent
    this.#hooks = hooks
    agent.onSelfRing = () => this.#queueDrain()
  }

  /**
   * Blocks this thread until `attempt` succeeds.
   *
   * @param deadline as `now()` counts, in milliseconds.
   * @returns what `attempt` got, or `PENDING` once the deadline has passed.
   */
  block<T>(waitable: Waitable<T>, deadline: number): T | Pending {
    const { platform } = this.#agent
    const { set } = waitable
    const since = platform.now()
    // Who does not wait may ask again and again, and nobody else may take care of the dead.
    if (deadline <= since) return this.glance() ? waitable.attempt() : PENDING
    this.#withdraw()
    let done = false
    let isArmed = false
    let spent = false
    try {
      for (;;) {
        const seen = this.#agent.bell()
        // SYNC: after the look at the bell: a death that was told before it rings nobody a second time.
        this.#noticeDeaths(false)
        // What woke us may be more than we take: a batch, or room for several.
        if (!set.arm(since) && isArmed) spent = true
        isArmed = true
        const result = waitable.attempt()
        if (result !== PENDING) {
          done = true
          return result
        }
        const left = deadline - platform.now()
        if (left <= 0) return PENDING
        this.#slice(seen, Math.min(left, waitable.recheckMs?.() ?? Infinity), waitable.spinning)
      }
    } finally {
      if (!set.disarm() && isArmed) spent = true
      if (!done) waitable.abandon?.()
      if (spent && (!done || waitable.available())) set.wakeOne()
      this.#queueDrain()
    }
  }

  /**
   * Waits as a promise; it gives what `attempt` got, or `PENDING` after `timeoutMs`. Rejects with the signal's reason.
   *
   * @param keepAlive whether the event loop stays alive for it.
   */
  async<T>(
    waitable: Waitable<T>,
    timeoutMs: number,
    signal?: AbortSignal,
    keepAlive = true,
  ): Promise<T | Pending> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    const first = this.#lines.get(waitable.set.key)
    if (first === undefined || first.waiters.length === 0) {
      try {
        let result = waitable.attempt()
        if (result === PENDING && timeoutMs <= 0 && this.glance()) result = waitable.attempt()
        if (result !== PENDING) return Promise.resolve(result)
      } catch (error) {
        return Promise.reject(error)
      }
    }
    if (timeoutMs <= 0) return Promise.resolve(PENDING)
    return this.#enqueue(waitable, timeoutMs, signal, keepAlive)
  }

  /**
   * Looks for deaths on behalf of somebody who does not wait, but may ask again and again.
   *
   * @returns whether there may be news.
   */
  glance(): boolean {
    const probe = this.#hooks.mustProbe() && this.#isProbeDue()
    return this.#noticeDeaths(probe)
  }

  /** Looks for deaths, and lets all who wait here hear of them: a death is told once, not once for each wait. */
  #noticeDeaths(probe: boolean): boolean {
    if (!this.#hooks.noticeDeaths(probe)) return false
    this.#hasNews = true
    this.#queueDrain()
    return true
  }

  #isProbeDue(): boolean {
    const now = this.#agent.platform.now()
    if (now - this.#probedAt < SLICE_MS) return false
    this.#probedAt = now
    return true
  }

  /** Whether asynchronous waiters of this agent stand in line at a set. */
  hasLine(set: WaitSet): boolean {
    return this.#lines.has(set.key)
  }

  /** Whether asynchronous waiters of this agent stand in line at a set among these words. */
  isAwaited(from: number, to: number): boolean {
    for (const key of this.#lines.keys()) if (key >= from && key < to) return true
    return false
  }

  /**
   * Serves the asynchronous waiters at a set as far as that works now.
   *
   * For a blocking call that must not overtake them.
   *
   * @returns whether none is left.
   */
  serveLine(set: WaitSet): boolean {
    const line = this.#lines.get(set.key)
    if (line === undefined) return true
    this.#serve(line)
    return line.waiters.length === 0
  }

  /**
   * Serves all asynchronous waiters that can be served, then listens for the next ring.
   *
   * SYNC: sets `parked`, then reads the bell; ring() adds to the bell, then reads `parked`.
   */
  onBell(): void {
    const { words, parkedWord } = this.#agent
    this.#keepProbing()
    for (;;) {
      const seen = this.#agent.bell()
      this.#drain()
      if (this.#lines.size === 0) return
      Atomics.or(words, parkedWord, PARKED.async)
      if (this.#agent.bell() === seen) return
    }
  }

  #drain(): void {
    const hasNews = this.#hooks.noticeDeaths(false) || this.#hasNews
    this.#hasNews = false
    for (const line of this.#lines.values()) {
      // A wake always clears our bit first; where it still stands nothing was meant for us.
      if (hasNews || !line.waitable.set.isArmed()) this.#drainLine(line)
    }
  }

  #enqueue<T>(
    waitable: Waitable<T>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    keepAlive: boolean,
  ): Promise<T | Pending> {
    const { key } = waitable.set
    const line = this.#lines.get(key) ?? { waitable, waiters: [], armed: false, recheck: undefined }
    this.#lines.set(key, line)
    return new Promise<T | Pending>((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#setPending(this.#pending - (keepAlive ? 1 : 0))
      }
      const waiter: Waiter = {
        attempt: () => waitable.attempt(),
        since: this.#agent.platform.now(),
        settle: (result) => {
          finish()
          resolve(result as T)
        },
        fail: (error) => {
          finish()
          reject(error)
        },
      }
      const leave = (): void => {
        line.waiters.splice(line.waiters.indexOf(waiter), 1)
        this.#drainLine(line)
      }
      const onAbort = (): void => {
        leave()
        waiter.fail(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      if (timeoutMs !== Infinity) {
        const expire = (left: number): void => {
          // setTimeout holds 31 bits; longer waits take several.
          timer = setTimeout(
            () => {
              if (left > MAX_TIMER_MS) return expire(left - MAX_TIMER_MS)
              // What came in time counts, also when this thread was too busy to look before its timers.
              this.#drainLine(line)
              if (!line.waiters.includes(waiter)) return
              leave()
              waiter.settle(PENDING)
            },
            Math.min(left, MAX_TIMER_MS),
          )
        }
        expire(timeoutMs)
      }
      line.waiters.push(waiter)
      this.#hooks.start()
      this.#setPending(this.#pending + (keepAlive ? 1 : 0))
      if (line.waiters.length === 1) this.#listenTo(line)
    })
  }

  #listenTo(line: Line): void {
    const { words, parkedWord } = this.#agent
    const seen = this.#agent.bell()
    // SYNC: after the look at the bell, as in block().
    this.#noticeDeaths(false)
    this.#drainLine(line)
    if (this.#lines.size === 0) return
    Atomics.or(words, parkedWord, PARKED.async)
    if (this.#agent.bell() !== seen) this.onBell()
  }

  #drainLine(line: Line): void {
    const { set } = line.waitable
    clearTimeout(line.recheck)
    for (;;) {
      const served = this.#serve(line)
      const head = line.waiters[0]
      if (head === undefined) {
        this.#lines.delete(set.key)
        this.#disarm(line, served)
        return
      }
      set.arm(head.since)
      line.armed = true
      if (!this.#serve(line)) break
    }
    const recheckMs = line.waitable.recheckMs?.() ?? Infinity
    if (recheckMs !== Infinity) line.recheck = setTimeout(() => this.#drainLine(line), recheckMs)
  }

  /** Serves waiters from the head of the line while that works; false if it served none. */
  #serve(line: Line): boolean {
    let served = false
    for (;;) {
      const head = line.waiters[0]
      if (head === undefined) return served
      try {
        const result = head.attempt()
        if (result === PENDING) return served
        line.waiters.shift()
        head.settle(result)
      } catch (error) {
        line.waiters.shift()
        head.fail(error)
      }
      served = true
    }
  }

  /** One function call per slice: its entry is where V8 lets `terminate()` in. */
  #slice(seen: number, timeoutMs: number, spinning: Spinning | undefined): void {
    if (!this.#agent.sleep(seen, timeoutMs, spinning)) this.#noticeDeaths(true)
  }

  /** Before this thread blocks, its asynchronous waiters leave their sets: the frozen event loop could not use a wake. */
  #withdraw(): void {
    if (this.#lines.size === 0) return
    Atomics.and(this.#agent.words, this.#agent.parkedWord, ~PARKED.async)
    for (const line of this.#lines.values()) {
      this.#disarm(line, false)
    }
  }

  #disarm(line: Line, served: boolean): void {
    if (!line.armed) return
    line.armed = false
    const { set } = line.waitable
    const spent = !set.disarm()
    if (!served) line.waitable.abandon?.()
    if (spent && (!served || line.waitable.available())) set.wakeOne()
  }

  /** They come back, and look again, as soon as the thread is done with its current job. */
  #queueDrain(): void {
    if (this.#drainQueued || this.#lines.size === 0) return
    this.#drainQueued = true
    queueMicrotask(() => {
      this.#drainQueued = false
      this.onBell()
    })
  }

  #setPending(count: number): void {
    this.#pending = count
    this.#hooks.setPending(count)
    this.#keepProbing()
  }

  /** While nobody tells of deaths, asynchronous waiters look for them as often as blocked ones. */
  #keepProbing(): void {
    if (this.#pending === 0) {
      clearInterval(this.#prober)
      this.#prober = undefined
    } else if (this.#prober === undefined && this.#hooks.mustProbe()) {
      // What keeps the event loop alive are the waits, not the looking.
      this.#prober = setInterval(() => this.#hooks.noticeDeaths(true), SLICE_MS).unref()
    }
  }
}

const MAX_TIMER_MS = 0x7fffffff

/** The moment a timeout ends, on the platform's clock. */
export function deadlineAfter(agent: Agent, timeoutMs: number): number {
  return timeoutMs === Infinity ? Infinity : agent.platform.now() + timeoutMs
}

/** Throws the signal's reason if it has been aborted: a blocking wait cannot be aborted later, its thread sleeps. */
export function throwIfAborted(options: WaitOptions | undefined): void {
  options?.signal?.throwIfAborted()
}
