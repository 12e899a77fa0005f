/** `[reduceSymbol]` and `[reviveSymbol]`; what happens across processes is in `fixtures/corpus.mjs`. */
import { dumps, loads, loadsAsync, needsModules, reduceSymbol, reviveSymbol } from '@mp/pickle'
import { expect, test } from 'vitest'

const module = new URL('./fixtures/lib/hooked.mjs', import.meta.url).href
const reduced = (name: string, ...args: unknown[]): object => ({
  [reduceSymbol]: () => ({ module, name, args }),
})

test('the symbols are registered, so that a package needs no import to use them', () => {
  expect(reduceSymbol).toBe(Symbol.for('@mp/pickle.reduce'))
  expect(reviveSymbol).toBe(Symbol.for('@mp/pickle.revive'))
})

test('a static [reviveSymbol] of the export is called with the arguments', () => {
  expect(loads(dumps(reduced('WithRevive', 1, 'a')))).toEqual({ revived: [1, 'a'] })
})

test('a class without one is constructed, a function is called', () => {
  expect(loads(dumps(reduced('Plain', 5)))).toMatchObject({ constructed: 5 })
  expect(loads(dumps(reduced('make', 5)))).toEqual({ made: 5 })
})

test('an object with a hook that is met twice is one object again', () => {
  const object = reduced('make', { deep: [1] })
  const back = loads(dumps([object, { again: object }])) as [object, { again: object }]
  expect(back[0]).toBe(back[1].again)
})

test('arguments may share objects with the rest of the message', () => {
  const shared = { s: 1 }
  const back = loads(dumps({ shared, hooked: reduced('make', shared) })) as {
    shared: object
    hooked: { made: object }
  }
  expect(back.hooked.made).toBe(back.shared)
})

test('the module is imported on demand, and only then', async () => {
  const onDemand = new URL('./fixtures/lib/on-demand.mjs', import.meta.url).href
  const bytes = dumps({ [reduceSymbol]: () => ({ module: onDemand, name: 'value', args: [] }) })
  expect('onDemandLoaded' in globalThis).toBe(false)
  expect(needsModules(bytes)).toBe(true)
  expect(needsModules(dumps({ plain: [1] }))).toBe(false)
  expect(await loadsAsync(bytes)).toBe('loaded')
  expect('onDemandLoaded' in globalThis).toBe(true)
})

test('a CommonJS module is required: nobody has to wait for it', () => {
  const url = (name: string) => new URL(`./fixtures/lib/${name}.cjs`, import.meta.url).href
  const by = (file: string, name: string, ...args: unknown[]) =>
    dumps({ [reduceSymbol]: () => ({ module: url(file), name, args }) })
  expect(needsModules(by('common', 'commonHelper', 1))).toBe(false)
  expect(loads(by('common', 'commonHelper', 1))).toBe(8)
  expect(loads(by('single', 'default', 1))).toBe(101)
})

test('a module, export or function that is not there is named', async () => {
  expect(() => loads(dumps(reduced('missing')))).toThrow(/hooked\.mjs has no export missing/)
  expect(() => loads(dumps(reduced('notAFunction')))).toThrow('`notAFunction` is not a function')
  const nowhere = { [reduceSymbol]: () => ({ module: `${module}x`, name: 'a', args: [] }) }
  await expect(loadsAsync(dumps(nowhere))).rejects.toThrow(/Cannot find module|ENOENT/)
})
