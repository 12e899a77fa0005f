/**
 * What a pool tells on `node:diagnostics_channel`, for tools that watch a program.
 *
 * | channel                 | message                                                        |
 * | ----------------------- | -------------------------------------------------------------- |
 * | `mp:pool:task:submit`   | `{ pool, task }`                                               |
 * | `mp:pool:task:settle`   | `{ pool, task, value }` or `{ pool, task, error }`             |
 * | `mp:pool:task:retry`    | `{ pool, task }`                                               |
 * | `mp:pool:worker:start`  | `{ pool, worker }`                                             |
 * | `mp:pool:worker:end`    | `{ pool, worker }` with its `exitCode`                         |
 *
 * `pool` is the pool's name; `task` is `{ id, name, items, waitMs, runMs }`, the last two known when it is settled;
 * `worker` is `{ pid, name, exitCode }`.
 *
 * @module
 */
import { channel } from 'node:diagnostics_channel'
import type { Worker } from './crew.js'
import type { Task } from './task.js'

const submit = channel('mp:pool:task:submit')
const settle = channel('mp:pool:task:settle')
const retry = channel('mp:pool:task:retry')
const start = channel('mp:pool:worker:start')
const end = channel('mp:pool:worker:end')

export class Channels {
  readonly #pool: string
  readonly #ids = new WeakMap<Task, number>()
  readonly #times = new WeakMap<Task, { waitMs: number; runMs: number }>()
  #nextId = 1

  constructor(pool: string) {
    this.#pool = pool
  }

  /** Whether anybody hears of tasks that are settled. */
  get isWatched(): boolean {
    return settle.hasSubscribers
  }

  submitted(task: Task): void {
    if (submit.hasSubscribers) submit.publish({ pool: this.#pool, task: this.#describe(task) })
  }

  ran(task: Task, waitMs: number, runMs: number): void {
    if (settle.hasSubscribers) this.#times.set(task, { waitMs, runMs })
  }

  settled(task: Task, isValue: boolean, value: unknown): void {
    if (!settle.hasSubscribers) return
    const outcome = isValue ? { value } : { error: value }
    settle.publish({ pool: this.#pool, task: this.#describe(task), ...outcome })
  }

  retried(task: Task): void {
    if (retry.hasSubscribers) retry.publish({ pool: this.#pool, task: this.#describe(task) })
  }

  workerStarted(worker: Worker): void {
    if (start.hasSubscribers) start.publish({ pool: this.#pool, worker: describe(worker) })
  }

  workerEnded(worker: Worker): void {
    if (end.hasSubscribers) end.publish({ pool: this.#pool, worker: describe(worker) })
  }

  #describe(task: Task): object {
    let id = this.#ids.get(task)
    if (id === undefined) this.#ids.set(task, (id = this.#nextId++))
    const { items } = task
    const { waitMs = 0, runMs = 0 } = this.#times.get(task) ?? {}
    return { id, name: task.fn.name, items, waitMs, runMs }
  }
}

function describe({ process: { pid, name, exitCode } }: Worker): object {
  return { pid, name, exitCode }
}
