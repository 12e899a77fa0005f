/** SharedValue: every type, its limits, and one step at a time. */
import { SharedValue, type SharedValueType } from '@mp/shared-memory'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { session } from '@mp/shared-memory/internal'
import { kinds, run, start, unitsInUse, until, untilCollected } from './shared-agents.js'

let units: number

beforeAll(() => {
  session()
  units = unitsInUse()
})

afterAll(async () => {
  await untilCollected('all memory is given back', () => unitsInUse() === units)
})

const limits: [SharedValueType, number | bigint, number | bigint][] = [
  ['i8', -128, 127],
  ['u8', 0, 255],
  ['i16', -32_768, 32_767],
  ['u16', 0, 65_535],
  ['i32', -(2 ** 31), 2 ** 31 - 1],
  ['u32', 0, 2 ** 32 - 1],
  ['i64', -(2n ** 63n), 2n ** 63n - 1n],
  ['u64', 0n, 2n ** 64n - 1n],
]
const types: SharedValueType[] = [...limits.map(([type]) => type), 'f32', 'f64']

test.each(types)('%s: starts at 0, and every operation gives the old value', (type) => {
  const n = (value: number): any => (type.endsWith('64') && type !== 'f64' ? BigInt(value) : value)
  const value = new SharedValue(type)
  expect(value.type).toBe(type)
  expect(value.value).toBe(n(0))
  value.value = n(5)
  expect(value.add(n(3))).toBe(n(5))
  expect(value.exchange(n(20))).toBe(n(8))
  expect(value.compareExchange(n(19), n(1))).toBe(n(20))
  expect(value.compareExchange(n(20), n(1))).toBe(n(20))
  expect(value.value).toBe(n(1))
  expect(new SharedValue(type, n(7)).value).toBe(n(7))
})

test.each(limits)('%s holds %s to %s, and refuses what is beyond', (type, min, max) => {
  const value = new SharedValue(type, min)
  expect(value.value).toBe(min)
  value.value = max
  expect(value.value).toBe(max)
  const one: any = typeof max === 'bigint' ? 1n : 1
  const above: any = (max as any) + one
  const below: any = (min as any) - one
  for (const wrong of [above, below]) {
    expect(() => new SharedValue(type, wrong)).toThrow(RangeError)
    expect(() => (value.value = wrong)).toThrow(
      `Expected \`value\` to be an integer from ${min} to ${max}`,
    )
    expect(() => value.exchange(wrong)).toThrow(RangeError)
    expect(() => value.compareExchange(max as any, wrong)).toThrow('`value`')
    expect(() => value.compareExchange(wrong, max as any)).toThrow('`expected`')
  }
  expect(() => value.add(one)).toThrow(`${max} + n`)
  expect(value.value).toBe(max)
  expect(value.add(-one)).toBe(max)
  expect(value.exchange(min as any)).toBe((max as any) - one)
  expect(() => value.add(-one)).toThrow(RangeError)
  expect(value.value).toBe(min)
})

test('types are inferred', () => {
  expectTypeOf(new SharedValue('i32').value).toEqualTypeOf<number>()
  expectTypeOf(new SharedValue('u64').add(1n)).toEqualTypeOf<bigint>()
  expectTypeOf<SharedValue['value']>().toEqualTypeOf<number | bigint>()
})

test('64-bit integers may be given as safe numbers', () => {
  const value = new SharedValue('i64', -3)
  expect(value.add(4)).toBe(-3n)
  expect(value.compareExchange(1, 2)).toBe(1n)
  expect(() => value.add(2 ** 53)).toThrow(RangeError)
  expect(() => (value.value = 0.5)).toThrow(RangeError)
})

test('floats hold what floats hold', () => {
  const single = new SharedValue('f32', 0.1)
  expect(single.value).toBe(Math.fround(0.1))
  expect(single.compareExchange(0.1, -0)).toBe(Math.fround(0.1))
  expect(single.value).toBe(-0)
  expect(single.compareExchange(0, NaN)).toBe(-0)
  expect(single.compareExchange(NaN, Infinity)).toBe(NaN)
  expect(single.value).toBe(Infinity)
  expect(() => (single.value = 1e39)).toThrow(RangeError)
  const double = new SharedValue('f64', 1e300)
  expect(double.add(0.5)).toBe(1e300)
  expect(double.exchange(5e-324)).toBe(1e300)
  expect(double.value).toBe(5e-324)
})

test.each([
  [() => new SharedValue('i7' as never), 'type'],
  [() => new SharedValue('u8 clamped' as never), 'type'],
  [() => new SharedValue(undefined as never), 'type'],
  [() => new SharedValue('i8', '1' as never), 'initial'],
  [() => new SharedValue('i8', 1n as never), 'initial'],
  [() => (new SharedValue('u64').value = true as never), 'value'],
  [() => new SharedValue('f64').add(null as never), 'n'],
  [() => new SharedValue('f64').compareExchange(0, {} as never), 'value'],
])('what is no number is refused by name (%#)', (make, name) => {
  expect(make).toThrow(TypeError)
  expect(make).toThrow(`Expected \`${name}\``)
})

describe.each(kinds)('between a %s and this one', (kind) => {
  test('no addition is lost, in any type', async () => {
    const integers = types.filter((type) => !/8|16/.test(type))
    const values = integers.map((type) => new SharedValue(type))
    for (const value of values) {
      const agent = await start(kind, 'addUp', value, 1, 3_000)
      for (let n = 0; n < 3_000; n++) value.add(1)
      await agent.result
      expect(Number(value.value)).toBe(6_000)
    }
  })

  test('narrow values that lie in one word do not disturb each other', async () => {
    const value = new SharedValue('i8')
    const agent = await start(kind, 'addUp', value, 1, 100)
    await agent.result
    expect(value.value).toBe(100)
  })

  test('of all that compare and exchange, exactly one succeeds', async () => {
    const value = new SharedValue('f64')
    const agents = await Promise.all([0, 1].map(() => start(kind, 'swapUp', value, 3_000)))
    await Promise.all(agents.map(({ result }) => result))
    expect(value.value).toBe(6_000)
  })

  test('it is one object in each of them, and outlives who made it', async () => {
    const value = new SharedValue('u64', 3n)
    expect(await run(kind, 'giveBack', value)).toBe(value)
    const made = await run(kind, 'makeValue', 'i16', -9)
    expect(made).toBeInstanceOf(SharedValue)
    expect(made.value).toBe(-9)
  })

  test('who is killed while adding leaves a whole value', async () => {
    const value = new SharedValue('f64')
    const started = new SharedValue('i32')
    const agent = await start(kind, 'addForEver', value, started)
    await until('it adds', () => started.value === 1 && value.value > 100)
    await agent.kill()
    const left = value.value
    expect(Number.isInteger(left * 2)).toBe(true)
    expect(value.add(0.5)).toBe(left)
  })
})
