/**
 * One line on a terminal that is drawn again and again.
 *
 * There is one bar at a time: a second call that wants one meanwhile goes without. Where stderr is not a terminal
 * nothing is drawn.
 *
 * @module
 */
import type { Progress } from './options.js'

/** The part of a terminal that a bar needs. */
export interface Terminal {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Not more often than the eye sees. */
const DRAW_MS = 80
const WIDTH = 24
const CLEAR_LINE = '\r\u{1b}[2K'

let current: ProgressBar | undefined

export class ProgressBar {
  readonly #terminal: Terminal
  #drawnAt = -Infinity

  /** A bar; undefined where none can be drawn. */
  static on(terminal: Terminal): ProgressBar | undefined {
    if (terminal.isTTY !== true || process.env['TERM'] === 'dumb' || current !== undefined) {
      return undefined
    }
    return (current = new ProgressBar(terminal))
  }

  private constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  draw(progress: Progress): void {
    const now = performance.now()
    if (now - this.#drawnAt < DRAW_MS) return
    this.#drawnAt = now
    this.#write(progress)
  }

  /** Draws it as it ended, and leaves it. */
  end(progress: Progress): void {
    if (current !== this) return
    current = undefined
    this.#write(progress)
    this.#terminal.write('\n')
  }

  #write(progress: Progress): void {
    const line = barLine(progress)
    // A terminal that does not know its width says 0.
    this.#terminal.write(CLEAR_LINE + line.slice(0, (this.#terminal.columns || 80) - 1))
  }
}

/** `[######------] 50/100 50% 120/s ETA 0:12 3 failed` */
function barLine({ done, total, failed, rate, etaMs, elapsedMs }: Progress): string {
  const parts = []
  if (total === undefined) {
    parts.push(`${done} done`)
  } else {
    const part = total === 0 ? 1 : done / total
    const full = Math.round(part * WIDTH)
    parts.push(
      `[${'#'.repeat(full)}${'-'.repeat(WIDTH - full)}]`,
      `${done}/${total}`,
      `${Math.floor(part * 100)}%`,
    )
  }
  parts.push(`${rate >= 100 ? Math.round(rate) : rate.toPrecision(2)}/s`)
  if (done === total) parts.push(`in ${clock(elapsedMs)}`)
  else if (etaMs !== undefined) parts.push(`ETA ${clock(etaMs)}`)
  if (failed > 0) parts.push(`${failed} failed`)
  return parts.join(' ')
}

/** `0:05`, `12:00`, `1:00:00` */
function clock(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000)
  const two = (n: number): string => String(n).padStart(2, '0')
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  const head = hours > 0 ? `${hours}:${two(minutes)}` : String(minutes)
  return `${head}:${two(seconds % 60)}`
}
