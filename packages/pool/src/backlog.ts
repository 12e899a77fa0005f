/**
 * Tasks that wait in the pool's own process: by priority, then by arrival.
 *
 * @module
 */
import type { Task } from './task.js'

interface Lane {
  readonly priority: number
  tasks: (Task | undefined)[]
  /** How many of `tasks` are gone already. */
  head: number
}

export class Backlog {
  /** Highest priority first; hardly ever more than one. */
  readonly #lanes: Lane[] = []

  get isEmpty(): boolean {
    return this.#lanes.length === 0
  }

  /** The highest priority of those that wait; -Infinity when nobody does. */
  get priority(): number {
    return this.#lanes[0]?.priority ?? -Infinity
  }

  add(task: Task): void {
    this.#lane(task.priority).tasks.push(task)
  }

  /** Puts tasks back that had been first, in this order. */
  addFirst(tasks: readonly Task[]): void {
    for (const task of tasks.toReversed()) {
      const lane = this.#lane(task.priority)
      if (lane.head > 0) lane.tasks[--lane.head] = task
      else lane.tasks.unshift(task)
    }
  }

  /** The first task that is not settled; forgets those before it. */
  first(): Task | undefined {
    for (;;) {
      const lane = this.#lanes[0]
      const task = lane?.tasks[lane.head]
      if (task === undefined || !task.isSettled) return task
      this.removeFirst()
    }
  }

  removeFirst(): void {
    const lane = this.#lanes[0]
    if (lane === undefined) return
    lane.tasks[lane.head++] = undefined
    if (lane.head === lane.tasks.length) {
      this.#lanes.shift()
    } else if (lane.head >= COMPACT_AT && lane.head * 2 > lane.tasks.length) {
      lane.tasks = lane.tasks.slice(lane.head)
      lane.head = 0
    }
  }

  /** Forgets all, and tells which there were. */
  clear(): Task[] {
    return this.#lanes
      .splice(0)
      .flatMap(({ tasks, head }) => tasks.slice(head))
      .filter((task) => task !== undefined)
  }

  #lane(priority: number): Lane {
    let at = this.#lanes.findIndex((lane) => lane.priority <= priority)
    if (at < 0) at = this.#lanes.length
    if (this.#lanes[at]?.priority !== priority) {
      this.#lanes.splice(at, 0, { priority, tasks: [], head: 0 })
    }
    return this.#lanes[at]
  }
}

/** From so many gone tasks on, their places are given back. */
const COMPACT_AT = 1024
