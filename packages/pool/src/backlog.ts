/**
 * Tasks that wait in the pool's own process: by priority, then by arrival.
 *
 * @module
 */
import type { Task } from './task.js'

interface Lane {
  readonly priority: number
  tasks: Task[]
  /** How many of `tasks` are gone already. */
  head: number
}

export class Backlog {
  /** Highest priority first; hardly ever more than one. */
  readonly #lanes: Lane[] = []

  add(task: Task): void {
    const { priority } = task
    let at = this.#lanes.findIndex((lane) => lane.priority <= priority)
    if (at < 0) at = this.#lanes.length
    if (this.#lanes[at]?.priority !== priority) {
      this.#lanes.splice(at, 0, { priority, tasks: [], head: 0 })
    }
    this.#lanes[at]?.tasks.push(task)
  }

  /** The first task that is still wanted; forgets those before it. */
  first(isWanted: (task: Task) => boolean): Task | undefined {
    for (;;) {
      const task = this.#lanes[0]?.tasks[this.#lanes[0].head]
      if (task === undefined || isWanted(task)) return task
      this.removeFirst()
    }
  }

  removeFirst(): void {
    const lane = this.#lanes[0]
    if (lane === undefined) return
    lane.head++
    if (lane.head === lane.tasks.length) {
      this.#lanes.shift()
    } else if (lane.head >= COMPACT_AT && lane.head * 2 > lane.tasks.length) {
      lane.tasks = lane.tasks.slice(lane.head)
      lane.head = 0
    }
  }
}

/** From so many gone tasks on, their places are given back. */
const COMPACT_AT = 1024
