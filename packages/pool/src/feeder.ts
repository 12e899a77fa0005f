/**
 * Brings tasks to the workers: into the ring, of which they help themselves, as long as there is room; the others wait in
 * a backlog of this process.
 *
 * @module
 */
import type { PutResult } from '@mp/shared-memory/internal'
import { Backlog } from './backlog.js'
import { MAX_QUEUED } from './layout.js'
import type { PoolCore } from './pool-core.js'
import type { Task } from './task.js'

/** When the session's memory is full and no result is due, look again after so long. */
const MEMORY_RECHECK_MS = 10

/** What a feeder works with. */
export interface FeederParts {
  readonly core: PoolCore
  /** How many workers there are to be. */
  size(): number
  /** Settles a task that can never be put. */
  fail(task: Task, error: unknown): void
}

export class Feeder {
  /** Tasks in the ring or with a worker, by number. */
  readonly dispatched: Map<number, Task> = new Map<number, Task>()
  readonly #parts: FeederParts
  readonly #backlog = new Backlog()
  #hasPriorities = false

  constructor(parts: FeederParts) {
    this.#parts = parts
  }

  /** Whether more tasks wait than have room in the ring. */
  get isBehind(): boolean {
    return !this.#backlog.isEmpty
  }

  /** Whether a worker is likely to be there for a task that is given now. */
  get hasIdle(): boolean {
    return this.dispatched.size < this.#parts.size() && this.#backlog.isEmpty
  }

  /** Gives a task to the workers, now or when it is its turn. */
  add(task: Task): void {
    if (task.priority !== 0) this.#hasPriorities = true
    if (this.#hasPriorities) this.#recallFor(task)
    if (!this.#backlog.isEmpty) {
      this.#backlog.add(task)
      this.pump()
    } else if (!this.#put(task) && !task.isSettled) {
      this.#backlog.add(task)
    }
  }

  /** A task that has lost its worker waits again. */
  addAgain(task: Task): void {
    task.number = -1
    this.#backlog.add(task)
  }

  /** Forgets all tasks, and tells which there were. */
  clear(): Task[] {
    const tasks = [...this.dispatched.values(), ...this.takeWaiting()]
    this.dispatched.clear()
    return tasks
  }

  /** Forgets the tasks that wait for room in the ring, and tells which there were. */
  takeWaiting(): Task[] {
    return this.#backlog.clear()
  }

  /** Fills the ring from the backlog. */
  pump(): void {
    for (;;) {
      const task = this.#backlog.first()
      if (task === undefined) {
        if (this.#hasPriorities && this.dispatched.size === 0) this.#hasPriorities = false
        return
      }
      if (!this.#put(task) && !task.isSettled) return
      this.#backlog.removeFirst()
    }
  }

  /** Puts a task into the ring; false when there is no room for it, or it is settled because there never will be. */
  #put(task: Task): boolean {
    const { core } = this.#parts
    const { tasks } = core
    // What lies in the ring goes before what comes with a higher priority.
    const most = this.#hasPriorities ? this.#parts.size() : MAX_QUEUED - 1
    const number = tasks.put
    if (tasks.size >= most) return false
    core.queue(number)
    // Before it is put: the result may be there at once.
    task.number = number
    let result: PutResult
    try {
      result = task.putInto(tasks)
    } catch (error) {
      // It can never fit; those behind it can.
      task.number = -1
      this.#parts.fail(task, error)
      return false
    }
    if (result === 'put') {
      this.dispatched.set(number, task)
      return true
    }
    task.number = -1
    setTimeout(() => this.pump(), MEMORY_RECHECK_MS)
    return false
  }

  /** Takes tasks of a lower priority back out of the ring. */
  #recallFor(task: Task): void {
    const { core } = this.#parts
    const back: Task[] = []
    for (const [number, other] of this.dispatched) {
      if (other.priority >= task.priority || !other.canPutAgain || !core.cancel(number)) continue
      this.dispatched.delete(number)
      other.number = -1
      back.push(other)
    }
    this.#backlog.addFirst(back)
  }
}
