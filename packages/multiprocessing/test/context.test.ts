/**
 * Contexts of the whole package, as in Python.
 */
import * as mp from '@mp/multiprocessing'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, expectTypeOf, test } from 'vitest'

// In a program of its own, because a fork server stays as long as its program.
test.each(mp.getAllStartMethods())(
  'a context of %s has everything, started so, in children as well',
  async (method) => {
    const program = fileURLToPath(new URL('fixtures/use-context.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [program, method], {
      timeout: 25_000,
    })
    const isOwn = method !== 'thread'
    expect(JSON.parse(stdout)).toEqual({ child: isOwn, inner: isOwn, worker: isOwn, code: 0 })
  },
)

test('names of a context are those of the package', () => {
  const all: Record<string, unknown> = { ...mp }
  const ctx = mp.getContext('thread')
  const plain = mp.getContext()
  for (const name of ['Barrier', 'Condition', 'Event', 'Lock', 'Pipe', 'Queue', 'Semaphore']) {
    expect((ctx as unknown as Record<string, unknown>)[name]).toBe(all[name])
  }
  expect([plain.Pool, plain.ProcessPoolExecutor]).toEqual([mp.Pool, mp.ProcessPoolExecutor])
  expect(ctx.Pool).toBe(mp.getContext('thread').Pool)
  expect([ctx.Pool.name, ctx.ProcessPoolExecutor.name]).toEqual(['Pool', 'ProcessPoolExecutor'])
  expect(() => new ctx.Pool(0)).toThrow(/`processes`.*`0`/)
  expect(() => new ctx.ProcessPoolExecutor(0)).toThrow(/`maxWorkers`.*`0`/)
  expect(ctx.getContext('spawn').getStartMethod()).toBe('spawn')
  expectTypeOf(ctx.getContext('spawn')).toEqualTypeOf<mp.Context>()
  expectTypeOf(ctx.Queue).toEqualTypeOf<typeof mp.Queue>()
  expectTypeOf(ctx.Pool).toEqualTypeOf<typeof mp.Pool>()
})
