/**
 * Tells workers that cannot work from workers that others kill.
 *
 * A program whose workers die as soon as they start must be told so, not be restarted for ever. But workers that are
 * killed from outside, however often, come back.
 *
 * @module
 */
import { constants } from 'node:os'

/** So many workers in a row may end before they are ready. */
const MAX_UNREADY = 3
/** So many in a row may be ready, and end before they have settled any task. */
const MAX_UNPROVEN = 10
/** So many in a row may be killed by somebody else before they are ready, and for so long. */
const MAX_KILLED = 200
const MAX_KILLED_MS = 60_000
/**
 * So many in a row may be killed while they run their initializer: it does that itself, or there is no memory for it. Who
 * kills workers at random would have to meet none of the others.
 */
const MAX_KILLED_INITIALIZING = 10
const MAX_DELAY_MS = 250

const { SIGKILL, SIGTERM, SIGINT, SIGHUP } = constants.signals
const FROM_OUTSIDE = [-SIGKILL, -SIGTERM, -SIGINT, -SIGHUP]

/** How far a worker had come. */
interface Stage {
  /** In the pool's initializer. */
  readonly isInitializing: boolean
  readonly isReady: boolean
  /** It has settled a task. */
  readonly isProven: boolean
}

export class FailedStarts {
  #unready = 0
  #unproven = 0
  #killed = 0
  #killedSince = 0
  #killedInitializing = 0

  /** Wait so long before the next start. */
  get delayMs(): number {
    // Three may be killed one after the other by chance; more is somebody's intention.
    const inRow = Math.max(
      this.#unready,
      this.#unproven,
      this.#killed / 20,
      this.#killedInitializing,
    )
    return inRow < 3 ? 0 : Math.min(MAX_DELAY_MS, 2 ** inRow)
  }

  /** A worker is ready. */
  reset(): void {
    this.#unready = 0
    this.#killed = 0
    this.#killedInitializing = 0
  }

  /** A worker has settled a task. */
  prove(): void {
    this.reset()
    this.#unproven = 0
  }

  /**
   * A worker has ended that nobody had asked to, and that no task is to blame for.
   *
   * @returns why there is no hope, or undefined.
   */
  note(exitCode: number | null, { isReady, isProven, isInitializing }: Stage): string | undefined {
    if (isProven) return undefined
    const how = `the last with exit code ${exitCode}`
    if (exitCode !== null && FROM_OUTSIDE.includes(exitCode)) {
      if (isReady) return undefined
      if (isInitializing && ++this.#killedInitializing >= MAX_KILLED_INITIALIZING) {
        return `${this.#killedInitializing} workers in a row were killed while they ran the initializer, ${how}`
      }
      const now = performance.now()
      if (this.#killed === 0) this.#killedSince = now
      if (++this.#killed < MAX_KILLED || now - this.#killedSince < MAX_KILLED_MS) return undefined
      return `${this.#killed} workers in a row were killed before they were ready, ${how}`
    }
    if (isReady) {
      if (++this.#unproven < MAX_UNPROVEN) return undefined
      return `${this.#unproven} workers in a row ended before they had settled a task, ${how}`
    }
    if (++this.#unready < MAX_UNREADY) return undefined
    return `${this.#unready} workers in a row ended before they were ready, ${how}`
  }
}
