/**
 * Replaces workers at the end of their term, the replacement first, and never all at once.
 *
 * A worker says that its term ends soon, and works on; or that it has too much memory, and waits. It gets a successor,
 * which starts and waits. When the successor is ready, a worker with too much memory is told to go; one with a number of
 * tasks goes by itself after the last. Then the successor is told to work. If either dies meanwhile, the other is what
 * it would have been without.
 *
 * @module
 */
import type { Worker } from './crew.js'
import { ORDER, PHASE } from './layout.js'
import type { PoolCore } from './pool-core.js'

/** What succession needs of the crew. */
export interface SuccessionCrew {
  readonly core: PoolCore
  /** How many may be replaced at a time. */
  limit(): number
  /** Starts a worker that waits, if there is room and the system does not refuse: `advance` is called when it is asked again. */
  start(predecessor: Worker): Worker | undefined
}

export class Succession {
  readonly #crew: SuccessionCrew
  /** Those whose turn has not come, and whether each has too much memory. */
  readonly #line = new Map<Worker, boolean>()
  /** Those who have a successor, and whether they are to be told to go. */
  readonly #current = new Map<Worker, boolean>()
  #isOver = false

  constructor(crew: SuccessionCrew) {
    this.#crew = crew
  }

  /** A worker's term ends. */
  request(worker: Worker, isLarge: boolean): void {
    if (this.#isOver) return
    if (this.#current.has(worker)) {
      if (isLarge) this.#hurry(worker)
      return
    }
    this.#line.set(worker, isLarge)
    this.advance()
    // Its turn will come; it is better than none.
    if (isLarge && this.#line.has(worker)) this.#crew.core.order(worker.index, ORDER.goOn)
  }

  /** A worker that was to go by itself is not to wait for that. */
  #hurry(worker: Worker): void {
    const { core } = this.#crew
    const { successor } = worker
    this.#current.set(worker, true)
    core.order(worker.index, ORDER.wait)
    if (successor !== undefined && core.phase(successor.index) === PHASE.ready) {
      this.ready(successor)
    }
  }

  /** A worker has come so far that it could work. */
  ready(successor: Worker): void {
    const { predecessor } = successor
    if (this.#isOver || predecessor === undefined || this.#current.get(predecessor) !== true) return
    predecessor.isLeaving = true
    this.#crew.core.order(predecessor.index, ORDER.retire)
    this.#takeOver(successor)
  }

  /** A worker has ended. */
  ended(worker: Worker): void {
    if (this.#isOver) return
    this.#line.delete(worker)
    if (this.#current.delete(worker) && worker.successor !== undefined) {
      this.#takeOver(worker.successor)
    }
    const { predecessor } = worker
    if (predecessor !== undefined) {
      const isLarge = this.#current.get(predecessor) === true
      this.#current.delete(predecessor)
      predecessor.successor = undefined
      // One that waits for it need not wait any longer; its end comes another time.
      if (isLarge) this.#crew.core.order(predecessor.index, ORDER.goOn)
      else this.#line.set(predecessor, false)
    }
    this.advance()
  }

  /** The pool ends: nobody is replaced any more. */
  stop(): void {
    this.#isOver = true
    this.#line.clear()
    this.#current.clear()
  }

  #takeOver(successor: Worker): void {
    successor.predecessor = undefined
    this.#crew.core.order(successor.index, ORDER.work)
  }

  /** Starts successors for those whose turn has come. */
  advance(): void {
    for (const [worker, isLarge] of this.#line) {
      if (this.#current.size >= this.#crew.limit()) return
      const successor = this.#crew.start(worker)
      if (successor === undefined) return
      this.#line.delete(worker)
      this.#current.set(worker, isLarge)
      worker.successor = successor
      if (isLarge) this.#crew.core.order(worker.index, ORDER.wait)
    }
  }
}
