/** Bytes from strangers: malformed ones are errors, and `dataOnly` runs nothing. */
import { dumps, loads, loadsAsync, PicklingError, reduceSymbol, UnpicklingError } from '@mp/pickle'
import { describe, expect, test } from 'vitest'

const dangerous: Record<string, unknown> = {
  'a builtin function': process.exit,
  'a global object': console,
  'a builtin class': Map,
  'a hook of a module': {
    [reduceSymbol]: () => ({
      module: 'data:text/javascript,globalThis.ran = 1',
      name: 'x',
      args: [],
    }),
  },
  'a hook by value': { [reduceSymbol]: () => ({ revive: Array, args: [1] }) },
  'an instance of a builtin class': new (class extends Map {})(),
}

describe('with dataOnly', () => {
  test.each(Object.keys(dangerous))('%s is refused', async (name) => {
    let bytes: Uint8Array
    try {
      bytes = dumps({ data: 1, dangerous: dangerous[name] })
    } catch (error) {
      // Classes of vitest's own modules cannot be sent; another one stands in for them.
      expect(error).toBeInstanceOf(PicklingError)
      bytes = dumps([Error])
    }
    expect(() => loads(bytes, { dataOnly: true })).toThrow(UnpicklingError)
    await expect(loadsAsync(bytes, { dataOnly: true })).rejects.toThrow(/`dataOnly` accepts none/)
    expect('ran' in globalThis).toBe(false)
  })

  test('data is accepted', () => {
    const data = {
      a: [1, 'x', new Map([[1, new Set([2])]]), new Date(1), /x/, new Error('e')],
      b: 1n,
    }
    expect(loads(dumps(data), { dataOnly: true })).toStrictEqual(data)
    const bytes = Uint8Array.of(1, 2, 3, 4)
    const parts = [bytes.subarray(1, 3), bytes.subarray(2)]
    expect(loads(dumps(parts), { dataOnly: true })).toStrictEqual(parts)
  })
})

describe('what may not be sent', () => {
  class Money {
    amount = 1
  }

  test.each([
    ['a function', { a: [() => 1] }, 'a[0]', 'is a function'],
    ['a class', { Money }, 'Money', 'is a class'],
    ['an instance', { price: new Money() }, 'price → Money', 'is a class'],
    ['an object of the language', [Math], '[0]', 'is an object of the language'],
    [
      'an object with a prototype',
      { o: Object.create({ x: 1 }) },
      'o',
      'is an object with a proto',
    ],
    ['a hook', { h: { [reduceSymbol]: () => ({ revive: Array, args: [] }) } }, 'h', 'with a hook'],
  ])('as data: %s is refused, with its path', (_, value, path, reason) => {
    const error = catchError(() => dumps(value, { dataOnly: true }))
    expect(error).toBeInstanceOf(PicklingError)
    expect(error).toMatchObject({ path, message: expect.stringContaining(reason) })
  })

  test('as data: data is accepted, and of an error all that is data', () => {
    class OwnError extends Error {}
    const data = [
      new Map([[1, new Set([new Date(1)])]]),
      Uint8Array.of(1),
      null,
      1n,
      Symbol.iterator,
    ]
    expect(loads(dumps(data, { dataOnly: true }), { dataOnly: true })).toStrictEqual(data)
    const error = Object.assign(new OwnError('text'), { code: 'E', fix: () => {} })
    const bytes = dumps({ error }, { dataOnly: true })
    expect(loads(bytes, { dataOnly: true })).toMatchObject({
      error: { message: 'text', code: 'E' },
    })
    // The option is of that call alone.
    expect(loads(dumps(new Money()))).toBeInstanceOf(Money)
  })

  test('by a reason: an object with a hook is refused before its hook is called', () => {
    let calls = 0
    const kept = { [reduceSymbol]: () => ({ revive: Array, args: [++calls] }) }
    const refuse = (object: object): string | undefined =>
      object === kept ? 'is to stay here' : undefined
    const error = catchError(() => dumps({ list: [{ kept }] }, { refuse }))
    expect(error).toBeInstanceOf(PicklingError)
    expect(error).toMatchObject({ path: 'list[0].kept' })
    expect(String(error)).toMatch(/is to stay here/)
    expect(calls).toBe(0)
    expect(loads(dumps([kept]))).toEqual([[undefined]])
    expect(calls).toBe(1)
  })
})

function catchError(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('It did not throw')
}

describe('malformed bytes', () => {
  const samples = [
    { id: 1, name: 'abc', x: 1.5, ok: true },
    [1, 2, 3, 300, -70_000],
    // With a hole.
    Object.assign([1.5], { 2: 'é', 3: 2n ** 70n }),
    new Map<unknown, unknown>([['a', new Set([1])], ['b', new Date(5)]]), // prettier-ignore
    [
      new Uint8Array(20),
      new Float64Array(3).subarray(1),
      Buffer.from('x'),
      new DataView(new ArrayBuffer(3)),
    ],
    Object.assign(new AggregateError([new Error('x')], 'y', { cause: 1 }), { code: 'E' }),
    Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`k${i}`, i])),
    [/x/g, Object(1), Symbol.iterator, new URL('http://a.b'), 'é'.repeat(40), 'x'.repeat(40), null],
  ]

  test('cut short anywhere are an UnpicklingError', () => {
    for (const sample of samples) {
      const bytes = dumps(sample)
      for (let length = 0; length < bytes.length; length++) {
        expect(() => loads(bytes.subarray(0, length)), `${length} of ${bytes.length}`).toThrow(
          UnpicklingError,
        )
      }
    }
  })

  test('with anything behind them are an UnpicklingError', () => {
    expect(() => loads(Uint8Array.from([...dumps({ a: 1 }), 0]))).toThrow(UnpicklingError)
  })

  test('changed at random give a value or an error, quickly, and never code', () => {
    let state = 12_345
    const random = (n: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % n
    }
    const started = performance.now()
    for (let round = 0; round < 20_000; round++) {
      const bytes = dumps(samples[random(samples.length)])
      for (let i = 0; i <= random(3); i++) bytes[1 + random(bytes.length - 1)] = random(256)
      try {
        loads(bytes, { dataOnly: true })
      } catch (error) {
        if (!(error instanceof UnpicklingError)) {
          expect.fail(`round ${round}: ${(error as Error).stack}`)
        }
      }
    }
    expect(performance.now() - started).toBeLessThan(25_000)
  })
})
