/**
 * What a task can find out about itself while it runs.
 *
 * @module
 */
import type { PoolCore } from './pool-core.js'

/** The task that runs in this worker. */
export interface CurrentTask {
  /**
   * Aborts when nobody wants the result any more: the call's `signal` has aborted, its `timeout` has passed, or another
   * item of its `map` has failed. The worker is stopped a moment (`grace`) later, unless the task ends before.
   *
   * A function that never waits reads `signal.aborted` or calls `signal.throwIfAborted()` now and then; one that waits
   * hands the signal on, or listens for `abort`.
   */
  readonly signal: AbortSignal
}

/**
 * The task that this code runs for; null outside of a worker, and between tasks.
 *
 * @example
 * const search = (from: number) => {
 *   const signal = currentTask()?.signal
 *   for (let n = from; !isFound(n); n++) signal?.throwIfAborted()
 * }
 */
export function currentTask(): CurrentTask | null {
  return runningTask.current
}

class RunningTask implements CurrentTask {
  readonly #core: PoolCore
  readonly #worker: number
  #controller: AbortController | undefined
  #hasEnded = false

  constructor(core: PoolCore, worker: number) {
    this.#core = core
    this.#worker = worker
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal
    this.#controller = new AbortController()
    const { signal } = this.#controller
    // A function that never waits hears of nothing: so who asks is told what is so now.
    const isAborted = Object.getOwnPropertyDescriptor(AbortSignal.prototype, 'aborted')!.get!
    const look = (): boolean => {
      this.#look()
      return isAborted.call(signal) as boolean
    }
    Object.defineProperties(signal, {
      aborted: { get: look, configurable: true },
      throwIfAborted: {
        value: () => {
          if (look()) throw signal.reason
        },
        configurable: true,
      },
    })
    void this.#listen()
    return signal
  }

  end(): void {
    this.#hasEnded = true
    if (this.#controller === undefined) return
    // Nobody listens any more.
    const { set } = this.#core.telling(this.#worker)
    this.#core.session.waiting.serveLine(set)
  }

  #look(): void {
    if (!this.#hasEnded && this.#core.isTold(this.#worker)) this.#controller?.abort()
  }

  /** For those who wait: the event loop hears of it. */
  async #listen(): Promise<void> {
    const { waiting } = this.#core.session
    const telling = this.#core.telling(this.#worker)
    const attempt: typeof telling.attempt = () => (this.#hasEnded ? true : telling.attempt())
    await waiting.async({ ...telling, attempt }, Infinity)
    this.#look()
  }
}

/** Who runs now. A worker runs one task at a time. */
class Running {
  #task: RunningTask | undefined
  #core: PoolCore | undefined
  #worker = -1
  #isBusy = false

  get current(): CurrentTask | null {
    if (!this.#isBusy || this.#core === undefined) return null
    return (this.#task ??= new RunningTask(this.#core, this.#worker))
  }

  begin(core: PoolCore, worker: number): void {
    this.#core = core
    this.#worker = worker
    this.#isBusy = true
  }

  end(): void {
    this.#isBusy = false
    this.#task?.end()
    this.#task = undefined
  }
}

export const runningTask: Running = new Running()
