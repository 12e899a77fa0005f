/**
 * What ran when, as a file that Perfetto and `chrome://tracing` open.
 *
 * The pool always remembers its last tasks, and from the first `trace()` on all of them, up to a bound.
 * The format is the "JSON array" one of Chrome's Trace Event Format, with complete events ("X").
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** So many are remembered before anybody asks. */
const REMEMBERED = 10_000
/** So many at most; the oldest go. */
const MOST = 1_000_000
/** Numbers of a span: lane (negative when it failed: -1 - lane), then submitted, started, run in milliseconds. */
const FIELDS = 4

interface Lane {
  readonly name: string
  readonly pid: number | undefined
}

export class Trace {
  /** Spans one after the other, from the first again when it is full: numbers, because nearly nobody ever asks. */
  #numbers: Float64Array = new Float64Array(64 * FIELDS)
  #names: string[] = []
  #next = 0
  #count = 0
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

  /** A task has run. Times are on the clock that all processes share, in milliseconds. */
  add(
    name: string,
    lane: number,
    isValue: boolean,
    submittedAt: number,
    startedAt: number,
    runMs: number,
  ): void {
    const at = this.#next
    if (at * FIELDS === this.#numbers.length) this.#grow()
    const numbers = this.#numbers
    numbers[at * FIELDS] = isValue ? lane : -1 - lane
    numbers[at * FIELDS + 1] = submittedAt
    numbers[at * FIELDS + 2] = startedAt
    numbers[at * FIELDS + 3] = runMs
    this.#names[at] = name
    this.#count = Math.max(this.#count, at + 1)
    this.#next = at + 1 === this.#most ? 0 : at + 1
  }

  /** Writes what is known, and again at the end. */
  write(path: string): void {
    // A file that cannot be written is refused here, and not tried again at the end. The directory may be another by then.
    const whole = resolve(path)
    this.#writeTo(whole)
    if (this.#paths.size === 0) this.#unroll()
    this.#paths.add(whole)
  }

  /** The pool has ended. Nobody waits for the file: one that cannot be written any more is warned of. */
  end(): void {
    for (const path of this.#paths) {
      try {
        this.#writeTo(path)
      } catch (error) {
        process.emitWarning(`Cannot write the trace of ${this.#poolName}: ${String(error)}`)
      }
    }
  }

  get #most(): number {
    return this.#paths.size === 0 ? REMEMBERED : MOST
  }

  #grow(): void {
    const larger = new Float64Array(Math.min(this.#numbers.length * 2, this.#most * FIELDS))
    larger.set(this.#numbers)
    this.#numbers = larger
  }

  /** The oldest first, so that more can follow. */
  #unroll(): void {
    const first = this.#count === REMEMBERED ? this.#next : 0
    const numbers = this.#numbers.slice()
    numbers.set(this.#numbers.subarray(first * FIELDS))
    numbers.set(this.#numbers.subarray(0, first * FIELDS), (this.#count - first) * FIELDS)
    this.#numbers = numbers
    this.#names = [...this.#names.slice(first), ...this.#names.slice(0, first)]
    this.#next = this.#count
  }

  #spanEvent(at: number): string {
    const [place, submittedAt, startedAt, runMs] = this.#numbers.subarray(
      at * FIELDS,
      (at + 1) * FIELDS,
    )
    const hasFailed = place < 0
    return JSON.stringify({
      name: this.#names[at],
      cat: hasFailed ? 'task,failed' : 'task',
      ph: 'X',
      pid: process.pid,
      tid: (hasFailed ? -1 - place : place) + 1,
      ts: micro(startedAt),
      dur: micro(runMs),
      args: {
        waited_ms: Math.max(0, startedAt - submittedAt),
        ...(hasFailed ? { failed: true } : {}),
      },
    })
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
      ...Array.from({ length: this.#count }, (_, at) => this.#spanEvent(at)),
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
