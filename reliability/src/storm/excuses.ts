/**
 * Times in which nobody can be expected to go on: somebody was stopped, or the machine did not let us run.
 *
 * @module
 */

interface Interval {
  readonly from: number
  readonly to: number
}

/** How much later than asked a timer may be before the machine is to blame, in milliseconds. */
const LAG_MS = 25
const TICK_MS = 10
/** Nobody asks about times longer ago than this. */
const KEPT_MS = 60_000

export class Excuses {
  readonly #now: () => number
  #intervals: Interval[] = []
  readonly #ticking: NodeJS.Timeout
  #lastTick: number
  /** How much of the time the machine did not let us run, in milliseconds. */
  lagMs = 0

  constructor(now: () => number) {
    this.#now = now
    this.#lastTick = now()
    this.#ticking = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Notes an interval. */
  add(from: number, to: number): void {
    this.#intervals.push({ from, to })
  }

  /** How much of the time since `since` is excused, in milliseconds. */
  within(since: number, until: number): number {
    let total = 0
    let end = since
    for (const { from, to } of this.#intervals.toSorted((a, b) => a.from - b.from)) {
      const start = Math.max(from, end)
      const stop = Math.min(to, until)
      if (stop <= start) continue
      total += stop - start
      end = stop
    }
    return total
  }

  end(): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    const now = this.#now()
    const late = now - this.#lastTick - TICK_MS
    if (late > LAG_MS) {
      this.add(this.#lastTick, now)
      this.lagMs += late
    }
    this.#lastTick = now
    this.#intervals = this.#intervals.filter(({ to }) => to > now - KEPT_MS)
  }
}
