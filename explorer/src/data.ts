/**
 * The data pages of the explored world, as the rings use them: plain words and bytes.
 *
 * Each access of a word is a request like one of `Atomics`, in the order of the program; that
 * processors and compilers may have another order is not explored, the commit words order them.
 *
 * @module
 */
import { type Arena, PAGE_BYTES, type Pages } from '@mp/shared-memory/internal'
import { ORIGIN } from './builtins.js'
import type { Host } from './host.js'

/** Stands in for the core's `Pages`. */
export function makePages(arena: Arena, count: number, data: Host['data']): Pages {
  const words = indexed(
    (at) => data.load(at),
    (at, value) => data.store(at, value),
    { [ORIGIN]: data.origin },
  )
  const window = bytesFrom(data, 0, count * PAGE_BYTES)
  const offset = (page: number): number => page * PAGE_BYTES
  return {
    arena,
    count,
    window: () => window,
    windowWords: () => words,
    offset,
    bytes: (first: number, length: number) => bytesFrom(data, offset(first), length),
  } as unknown as Pages
}

/** Bytes of the data pages, as a `Uint8Array` over them. */
export function bytesFrom(data: Host['data'], start: number, length: number): object {
  const load = (at: number): number =>
    (data.load((start + at) >>> 2) >>> shiftOf(start + at)) & 0xff
  const store = (at: number, value: number): void => {
    const word = (start + at) >>> 2
    const shift = shiftOf(start + at)
    data.store(word, (data.load(word) & ~(0xff << shift)) | ((value & 0xff) << shift))
  }
  return indexed(load, store, {
    length,
    byteLength: length,
    set: (from: ArrayLike<number>, at = 0) => {
      for (let i = 0; i < from.length; i++) store(at + i, from[i])
    },
    fill: (value: number, from = 0, to = length) => {
      for (let i = from; i < to; i++) store(i, value)
    },
    subarray: (from: number, to: number) => bytesFrom(data, start + from, to - from),
    slice: (from = 0, to = length) =>
      Uint8Array.from({ length: to - from }, (_, i) => load(from + i)),
  })
}

/** Where a byte lies in its word. */
function shiftOf(at: number): number {
  return (at & 3) << 3
}

/** An object whose elements are loaded and stored by these, and whose properties are those given. */
export function indexed(
  load: (at: number) => number,
  store: (at: number, value: number) => void,
  properties: Record<string, unknown> = {},
): object {
  return new Proxy(properties, {
    get: (target, key) =>
      typeof key === 'string' && /^\d+$/.test(key) ? load(Number(key)) : Reflect.get(target, key),
    set: (_target, key, value: number) => {
      store(Number(key), value)
      return true
    },
  })
}
