/**
 * What an agent writes into files of its own: what became of messages, and what must not be.
 *
 * A file opened to append loses nothing that was written, however its writer ends; a record is written by one call.
 *
 * @module
 */
import { closeSync, existsSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What became of a message. `alone`: it was taken while its taker did nothing else, after all that is written before.
 * `cancelled`: its producer was told that it was not put.
 */
export const KIND = { taken: 0, alone: 1, put: 2, cancelled: 3 } as const

/** One thing that happened to a message. */
export interface Record {
  readonly kind: number
  readonly channel: number
  readonly producer: number
  readonly sequence: number
}

const RECORD_WORDS = 4

export class Recorder {
  readonly #folder: string
  readonly #agent: number
  readonly #file: number
  readonly #record = new Int32Array(RECORD_WORDS)

  constructor(folder: string, agent: number) {
    this.#folder = folder
    this.#agent = agent
    this.#file = openSync(recordsFile(folder, agent), 'a')
  }

  note({ kind, channel, producer, sequence }: Record): void {
    this.#record.set([kind, channel, producer, sequence])
    writeSync(this.#file, this.#record)
  }

  /** Writes down what must not be; the director reads it. */
  violation(what: string): void {
    const file = openSync(violationsFile(this.#folder), 'a')
    writeSync(file, `${JSON.stringify(`agent ${this.#agent}: ${what}`)}\n`)
    closeSync(file)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Reads what an agent has written, and removes its file. */
export function collectRecords(folder: string, agent: number): Record[] {
  const file = recordsFile(folder, agent)
  if (!existsSync(file)) return []
  const bytes = readFileSync(file)
  unlinkSync(file)
  const words = new Int32Array(new Uint8Array(bytes).buffer)
  const records: Record[] = []
  for (let at = 0; at < words.length; at += RECORD_WORDS) {
    const [kind = 0, channel = 0, producer = 0, sequence = 0] = words.subarray(
      at,
      at + RECORD_WORDS,
    )
    records.push({ kind, channel, producer, sequence })
  }
  return records
}

/** Reads what the agents say must not be. */
export function readViolations(folder: string): string[] {
  const file = violationsFile(folder)
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as string)
}

function recordsFile(folder: string, agent: number): string {
  return join(folder, `records-${agent}`)
}

function violationsFile(folder: string): string {
  return join(folder, 'violations')
}
