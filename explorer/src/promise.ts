/**
 * A promise whose jobs run when the explorer says so.
 *
 * The bundle's `async` functions are lowered to generators over the name
 * `Promise`, which is this one: so an agent's whole event loop is a plain
 * function that can be run again from its start.
 *
 * @module
 */

type Job = () => void
type Callback = (value: never) => unknown

/** The jobs of one agent, in order. */
export class Jobs {
  #jobs: Job[] = []

  add(job: Job): void {
    this.#jobs.push(job)
  }

  clear(): void {
    this.#jobs = []
  }

  /** Runs jobs until none is left, or `stop` says so. */
  drain(stop: () => boolean): void {
    for (let next = 0; next < this.#jobs.length && !stop(); next++) this.#jobs[next]?.()
    this.#jobs = []
  }
}

/** Makes the `Promise` of a bundle over its jobs. */
export function makePromise(jobs: Jobs): PromiseConstructor {
  class OrderedPromise {
    #state: 'pending' | 'fulfilled' | 'rejected' = 'pending'
    #value: unknown
    #reactions: Job[] = []

    constructor(executor: (resolve: (value?: unknown) => void, reject: Callback) => void) {
      let settled = false
      const once = (act: (value: unknown) => void) => (value?: unknown) => {
        if (settled) return
        settled = true
        act(value)
      }
      const reject = once((reason) => this.#settle('rejected', reason))
      try {
        executor(
          once((value) => this.#resolve(value)),
          reject,
        )
      } catch (error) {
        reject(error)
      }
    }

    // oxlint-disable-next-line unicorn/no-thenable -- it is a promise
    then(onFulfilled?: Callback | null, onRejected?: Callback | null): OrderedPromise {
      return new OrderedPromise((resolve, reject) => {
        this.#react(() => {
          const isFulfilled = this.#state === 'fulfilled'
          const handler = isFulfilled ? onFulfilled : onRejected
          if (typeof handler !== 'function') {
            if (isFulfilled) resolve(this.#value)
            else reject(this.#value as never)
            return
          }
          try {
            resolve(handler(this.#value as never))
          } catch (error) {
            reject(error as never)
          }
        })
      })
    }

    catch(onRejected: Callback): OrderedPromise {
      return this.then(undefined, onRejected)
    }

    static resolve(value?: unknown): OrderedPromise {
      return value instanceof OrderedPromise
        ? value
        : new OrderedPromise((resolve) => resolve(value))
    }

    static reject(reason?: unknown): OrderedPromise {
      return new OrderedPromise((_, reject) => reject(reason as never))
    }

    /** Fulfils with the values of all, or rejects with the first reason. */
    static all(values: readonly unknown[]): OrderedPromise {
      return new OrderedPromise((resolve, reject) => {
        const results: unknown[] = []
        let left = values.length
        if (left === 0) resolve(results)
        for (const [i, value] of values.entries()) {
          OrderedPromise.resolve(value).then((result) => {
            results[i] = result
            if (--left === 0) resolve(results)
          }, reject)
        }
      })
    }

    #resolve(value: unknown): void {
      if (value instanceof OrderedPromise) {
        value.#react(() => this.#settle(value.#state as 'fulfilled', value.#value))
      } else {
        this.#settle('fulfilled', value)
      }
    }

    #settle(state: 'fulfilled' | 'rejected', value: unknown): void {
      this.#state = state
      this.#value = value
      for (const reaction of this.#reactions.splice(0)) jobs.add(reaction)
    }

    #react(reaction: Job): void {
      if (this.#state === 'pending') this.#reactions.push(reaction)
      else jobs.add(reaction)
    }
  }
  return OrderedPromise as unknown as PromiseConstructor
}
