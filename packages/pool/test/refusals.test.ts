/**
 * What a pool refuses, where it is asked: nothing is left of it, and the error says what to do.
 */
import { Pool } from '@mp/pool'
import { isBareRun } from 'mp-internal'
import { afterEach, expect, test } from 'vitest'
import { hasCompiler, withoutMemory } from '../../process/test/no-memory.js'
import { report } from '../../process/test/run-program.js'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makeExecutor, makePool } from './make-pool.js'

afterEach(endPools)

test.each<[string, Record<string, unknown>, RegExp]>([
  [
    'startMethod',
    { startMethod: 'fork' },
    /^Expected `startMethod` to be one of .*, got `'fork'`$/,
  ],
  ['startMethod', { startMethod: 5 }, /^Expected `startMethod` to be one of .*, got `5`$/],
  ['initializer', { initializer: Math.max.bind(null) }, /initializer": it is a bound function/],
  ['initArgs', { initArgs: [new WeakMap()] }, /initArgs\[0\]": it is a WeakMap/],
])('a pool with a wrong `%s` is not made', (_, options, message) => {
  expect(() => new Pool({ processes: 1, ...options })).toThrow(message)
})

test('a pool whose first worker would start later tells the first task why it cannot', async () => {
  const pool = makePool({ minProcesses: 0, initializer: Math.max.bind(null) })
  await expect(pool.apply(tasks.square, [1])).rejects.toMatchObject({
    code: 'ERR_MP_POOL_BROKEN',
    message: expect.stringMatching(/^A worker cannot be started: .* bound function/),
  })
})

test('results that may not be there yet, and executors, are not sent', async () => {
  const executor = makeExecutor(1)
  const future = executor.submit(tasks.square, 2)
  const result = executor.pool.applyAsync(tasks.square, [3])
  const send = (value: unknown): unknown => executor.submit(tasks.identity, value)
  expect(() => send(future)).toThrow('cannot send Future: await it first, and send its value')
  expect(() => send([result])).toThrow('cannot send AsyncResult: await it first')
  expect(() => send({ executor })).toThrow('cannot send a ProcessPoolExecutor; send its `pool`')
  expect(await Promise.all([future, result])).toEqual([4, 9])
})

test.skipIf(isBareRun || !hasCompiler).each(['spawn', 'forkserver'])(
  'a pool that the system refuses another process (%s) goes on with those it has, and asks again',
  async (startMethod) => {
    const fixture = new URL('fixtures/no-memory.mjs', import.meta.url)
    const outcome = await withoutMemory((env) => report(fixture, { args: [startMethod], env }))
    expect(outcome).toEqual({
      lost: 'ERR_MP_WORKER_LOST',
      without: 'ERR_MP_START',
      left: 1,
      goesOn: ['met', 1],
      broken: expect.stringMatching(/^A worker cannot be started: .*ENOMEM/),
    })
  },
)

test.skipIf(isBareRun || !hasCompiler).each(['spawn', 'forkserver'])(
  'a worker with too much memory, for which the system refuses another (%s), goes on until it is granted',
  async (startMethod) => {
    const fixture = new URL('fixtures/no-memory-successor.mjs', import.meta.url)
    const outcome = await withoutMemory((env) => report(fixture, { args: [startMethod], env }))
    expect(outcome).toEqual({ goesOn: true, isReplaced: true, isSmall: true })
  },
)
