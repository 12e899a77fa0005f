/**
 * What ran when, as a file that Perfetto and `chrome://tracing` open.
 *
 * The pool always remembers its last tasks, and from the first `trace()` on all of them, up to a bound.
 * The format is the "JSON array" one of Chrome's Trace Event Format, with complete events ("X").
 *
 * @module
 */
import { writeFileSync } from 'node:fs'

/** So many are remembered before anybody asks. */
const REMEMBERED = 10_000
/** So many at most; the oldest go. */
const MOST = 1_000_000

interface Span {
  readonly name: string
  readonly worker: number
  /** On the clock that all processes share, in milliseconds. */
  readonly submittedAt: number
  readonly startedAt: number
  readonly runMs: number
  readonly isValue: boolean
}

interface Lane {
  readonly name: string
  readonly pid: number | undefined
}

export class Trace {
  #spans: Span[] = []
  #next = 0
  readonly #lanes: Lane[] = []
  readonly #paths = new Set<string>()
  readonly #poolName: string

  constructor(poolName: string) {
    this.#poolName = poolName
  }

  /** A worker has been started. @returns its lane. */
  addLane(name: string, pid: number | undefined): number {
    return this.#lanes.push({ name, pid }) - 1
  }

  add(span: Span): void {
    const most = this.#paths.size === 0 ? REMEMBERED : MOST
    if (this.#spans.length < most) this.#spans.push(span)
    else this.#spans[this.#next++ % most] = span
  }

  /** Writes what is known, and again at the end. */
  write(path: string): void {
    if (this.#paths.size === 0) {
      // In the order of their ends, so that more can follow.
      this.#spans.push(...this.#spans.splice(0, this.#next % REMEMBERED))
      this.#next = 0
    }
    this.#paths.add(path)
    this.#writeTo(path)
  }

  /** The pool has ended. */
  end(): void {
    for (const path of this.#paths) this.#writeTo(path)
  }

  #writeTo(path: string): void {
    const events: string[] = [
      meta('process_name', 0, this.#poolName),
      ...this.#lanes.flatMap(({ name, pid }, lane) => [
        meta('thread_name', lane + 1, `${name} (pid ${pid})`),
        JSON.stringify({
          name: 'thread_sort_index',
          ph: 'M',
          pid: process.pid,
          tid: lane + 1,
          args: { sort_index: lane },
        }),
      ]),
      ...this.#spans.map((span) =>
        JSON.stringify({
          name: span.name,
          cat: span.isValue ? 'task' : 'task,failed',
          ph: 'X',
          pid: process.pid,
          tid: span.worker + 1,
          ts: micro(span.startedAt),
          dur: micro(span.runMs),
          args: {
            waited_ms: Math.max(0, span.startedAt - span.submittedAt),
            ...(span.isValue ? {} : { failed: true }),
          },
        }),
      ),
    ]
    writeFileSync(path, `[\n${events.join(',\n')}\n]\n`)
  }
}

function meta(name: string, tid: number, text: string): string {
  return JSON.stringify({ name, ph: 'M', pid: process.pid, tid, args: { name: text } })
}

function micro(milliseconds: number): number {
  return Math.round(milliseconds * 1e6) / 1e3
}
