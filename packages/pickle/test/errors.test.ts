/** Errors of builtin classes; those of programs are in `fixtures/corpus.mjs`. */
import { dumps, loads, PicklingError } from '@mp/pickle'
import { describe, expect, test } from 'vitest'

const copy = <T>(value: T): T => loads(dumps(value)) as T

describe.each([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError])(
  '%o',
  (constructor) => {
    test('arrives with class, message, stack, code, cause and own properties', () => {
      const error = Object.assign(new constructor('message', { cause: { why: 1 } }), {
        code: 'E_CODE',
        detail: [1, { a: 2 }],
      })
      const back = copy(error)
      expect(back).toBeInstanceOf(constructor)
      expect(Object.getPrototypeOf(back)).toBe(constructor.prototype)
      expect(back.message).toBe('message')
      expect(back.stack).toBe(error.stack)
      expect(back.cause).toEqual({ why: 1 })
      expect(back.code).toBe('E_CODE')
      expect(back.detail).toEqual([1, { a: 2 }])
      expect(Object.keys(back)).toEqual(['code', 'detail'])
    })
  },
)

test('what of an error is hidden stays hidden, and what is not does not', () => {
  const error = new Error('m', { cause: 1 })
  Object.defineProperty(error, 'name', { value: 'Named' })
  Object.assign(error, { errors: [2] })
  const back = copy(error) as Error & { errors: number[] }
  expect(String(back)).toBe('Named: m')
  expect([back.cause, back.errors, Object.keys(back)]).toEqual([1, [2], ['errors']])
})

test('a message that is computed arrives', () => {
  const error = Object.defineProperty(new Error('m'), 'message', { get: () => 'computed' })
  expect(copy(error).message).toBe('computed')
})

test('an AggregateError arrives with its errors', () => {
  const back = copy(new AggregateError([new TypeError('a'), 'b'], 'all'))
  expect(back).toBeInstanceOf(AggregateError)
  expect(back.message).toBe('all')
  expect(back.errors).toEqual([new TypeError('a'), 'b'])
  expect(back.errors[0]).toBeInstanceOf(TypeError)
  expect(Object.keys(back)).toEqual([])
})

test('the error of an aborted signal arrives', () => {
  for (const reason of [AbortSignal.abort().reason, new DOMException('m', 'TimeoutError')]) {
    const back = copy(reason as DOMException)
    expect(back).toBeInstanceOf(DOMException)
    expect([back.name, back.message, back.code]).toEqual([reason.name, reason.message, reason.code])
  }
})

test('an error of Node arrives with its code', () => {
  const thrown = (() => {
    try {
      return (Buffer.alloc as (size: unknown) => Buffer)('x')
    } catch (error) {
      return error as Error & { code: string }
    }
  })() as Error & { code: string }
  const back = copy(thrown)
  expect(back).toBeInstanceOf(TypeError)
  expect([back.code, back.message]).toEqual(['ERR_INVALID_ARG_TYPE', thrown.message])
})

test('errors that cause each other arrive', () => {
  const first = new Error('first')
  const second = new Error('second', { cause: first })
  first.cause = second
  const back = copy(first)
  expect((back.cause as Error).message).toBe('second')
  expect((back.cause as Error).cause).toBe(back)
})

test('a cause of undefined is a cause', () => {
  expect(Object.hasOwn(copy(new Error('x', { cause: undefined })), 'cause')).toBe(true)
  expect(Object.hasOwn(copy(new Error('x')), 'cause')).toBe(false)
})

test('an error without a message or with a changed name arrives so', () => {
  expect(Object.hasOwn(copy(new Error()), 'message')).toBe(false)
  const renamed = new Error('x')
  renamed.name = 'Renamed'
  expect(copy(renamed).name).toBe('Renamed')
})

test('what of an error cannot be sent is left out, and the rest arrives', () => {
  const pending = Promise.resolve()
  const error = Object.assign(new Error('request failed', { cause: pending }), {
    request: { nested: { socket: pending } },
    status: 500,
    again: { shared: true },
  })
  const back = copy(error)
  expect([back.message, back.status, back.again]).toEqual(['request failed', 500, { shared: true }])
  expect('request' in back).toBe(false)
  expect('cause' in back).toBe(false)
})

test('an object that was left out with a part is still sent where it can be', () => {
  const shared = { a: 1 }
  const error = Object.assign(new Error('x'), { bad: [shared, Promise.resolve()], good: shared })
  const back = copy({ error, shared })
  expect(back.error.good).toEqual({ a: 1 })
  expect(back.shared).toBe(back.error.good)
})

test('the errors of this package travel too', () => {
  let thrown: unknown
  try {
    dumps({ a: { b: Promise.resolve() } })
  } catch (error) {
    thrown = error
  }
  const back = copy(thrown as PicklingError)
  expect(back).toBeInstanceOf(PicklingError)
  expect([back.name, back.code, back.path]).toEqual(['PicklingError', 'ERR_MP_PICKLING', 'a.b'])
})
