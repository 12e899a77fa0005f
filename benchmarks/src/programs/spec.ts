/**
 * What a program measures: the argument of each, as JSON. `python/messages.py` reads the same.
 *
 * A program starts its other side itself, warms up, and prints one number.
 *
 * @module
 */

export interface Spec {
  /**
   * `one-way`: messages a second from one process to another. `round-trip`: microseconds for there and back.
   * `stream`: bytes a second. `crowd`: messages a second through one queue. `sleeper`: microseconds from a put until
   * a consumer has it that slept.
   */
  readonly what: 'one-way' | 'round-trip' | 'stream' | 'crowd' | 'sleeper'
  readonly via: 'queue' | 'pipe' | 'floor' | 'json' | 'advanced'
  /**
   * Whether ours waits by blocking, by a promise, or by `for await`. Of bytes: `into`: received into memory that is
   * there; `lease`: received where they are; `in-place`: written there, too.
   */
  readonly style: 'sync' | 'async' | 'iterate' | 'into' | 'lease' | 'in-place'
  readonly payload: 'integer' | 'object' | 'bytes'
  /** Bytes of a message, of `bytes`. */
  readonly size: number
  /** How many messages are measured. */
  readonly count: number
  /** How many go before, so that the engine has compiled what it will. */
  readonly warmup: number
  readonly producers: number
  readonly consumers: number
}

export type Payload = number | { id: number; name: string; x: number; ok: boolean } | Uint8Array

/** What messages of bytes are filled with. */
export const FILLING = 7

/** Makes the i-th message. */
export function payloadOf(spec: Spec): (i: number) => Payload {
  if (spec.payload === 'integer') return (i) => i
  if (spec.payload === 'object')
    return (i) => ({ id: i, name: 'a small message', x: i / 2, ok: true })
  const bytes = new Uint8Array(spec.size).fill(FILLING)
  return () => bytes
}

/** Makes what looks at the i-th message that has come: nobody is fast who loses, mixes or tears messages. */
export function checkOf({ payload, size }: Spec): (message: Payload, i: number) => void {
  if (payload === 'integer') {
    return (message, i) => {
      if (message !== i) throw new WrongMessageError(i)
    }
  }
  if (payload === 'object') {
    return (message, i) => {
      const { id, x, ok } = message as { id: number; x: number; ok: boolean }
      if (id !== i || x !== i / 2 || !ok) throw new WrongMessageError(i)
    }
  }
  return (message, i) => {
    if (!isWhole(message as Uint8Array, size)) throw new WrongMessageError(i)
  }
}

class WrongMessageError extends Error {
  constructor(i: number) {
    super(`Message ${i} is not what was sent`)
  }
}

/** By length, first and last byte: to look at all would take longer than to send. */
export function isWhole(bytes: Uint8Array, size: number): boolean {
  return bytes.length === size && bytes[0] + bytes[size - 1] === 2 * FILLING
}

/** Says what was measured: a rate of messages or bytes, or how long one takes in microseconds. */
export function report(spec: Spec, count: number, seconds: number): void {
  const bytes = spec.what === 'stream' ? spec.size : 1
  const figure = spec.what === 'round-trip' ? (seconds * 1e6) / count : (count * bytes) / seconds
  process.stdout.write(`${figure}\n`)
}

/** Throws unless what should be true is. */
export function ensure(isTrue: boolean, message: string): void {
  if (!isTrue) throw new Error(message)
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
