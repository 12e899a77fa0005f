import { PicklingError, UnpicklingError, dumps, encodeTo, loads, loadsFrom } from '@mp/pickle'
import { expect, test } from 'vitest'

const LONG = 100_000

interface Written {
  readonly bytes: Uint8Array
  /** Whether it came in several pieces. */
  readonly inPieces: boolean
}

/** Encodes into a sink that copies into memory full of other things, as a ring's pages are. */
function written(value: unknown): Written {
  let result: Written | undefined
  encodeTo(value, {
    write(bytes, byteLength, copyTo) {
      const target = new Uint8Array(byteLength).fill(0xee)
      if (copyTo === undefined) target.set(bytes.subarray(0, byteLength))
      else copyTo(target)
      result = { bytes: target, inPieces: copyTo !== undefined }
    },
  })
  return result!
}

function filled(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * 7)
}

const long = filled(LONG)
const pool = filled(3 * LONG)

test.each([
  ['a small value', { a: [1, 'two', null] }, false],
  ['a buffer of medium length', filled(30_000), false],
  ['a long buffer', filled(LONG), true],
  ['long buffers between other things', { a: 1, b: filled(LONG), c: [2, filled(LONG + 1)] }, true],
  ['one long buffer seen twice', [long, long.buffer, new Int32Array(long.buffer)], true],
  ['a long part of a buffer', { part: pool.subarray(LONG, 2 * LONG), after: 'the trailer' }, true],
  ['many packed numbers', Array.from({ length: LONG }, (_, i) => i / 3), true],
])('a sink gets the bytes that dumps makes: %s', (_, value, inPieces) => {
  const message = written(value)
  expect(message.inPieces).toBe(inPieces)
  expect(Buffer.compare(message.bytes, dumps(value))).toBe(0)
  expect(loads(message.bytes)).toEqual(value)
})

test('a long buffer in a part that cannot be sent after all is left out', () => {
  const error = new Error('outer', { cause: { bytes: filled(LONG), no: Promise.resolve() } })
  const message = written([error, filled(LONG)])
  expect(Buffer.compare(message.bytes, dumps([error, filled(LONG)]))).toBe(0)
  expect((loads(message.bytes) as [Error])[0].cause).toBe(undefined)
})

test('a buffer that changes its length while its message is encoded is refused', () => {
  const view = filled(LONG)
  const value = {
    view,
    get detaches() {
      return structuredClone(view.buffer, { transfer: [view.buffer] }).byteLength
    },
  }
  expect(() => written(value)).toThrow(PicklingError)
  expect(loads(written('the next one is well').bytes)).toBe('the next one is well')
})

test('what a sink throws comes out, and the next message is well', () => {
  const sink = {
    write() {
      throw new Error('no room')
    },
  }
  expect(() => encodeTo(filled(LONG), sink)).toThrow('no room')
  expect(loads(written([1]).bytes)).toEqual([1])
})

test('a message is decoded from the start of longer memory', () => {
  for (const value of [5, 'text', { a: [1, 2.5] }, pool.subarray(5, 50)]) {
    const message = dumps(value)
    const memory = new Uint8Array(message.length + 100).fill(3)
    memory.set(message)
    expect(loadsFrom(memory, message.length)).toEqual(value)
    for (let length = 0; length < message.length; length++)
      expect(() => loadsFrom(memory, length)).toThrow(UnpicklingError)
  }
})
