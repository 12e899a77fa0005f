import { Process } from '@mp/process'
import { isBareRun, ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { hasCompiler, withoutMemory } from './no-memory.js'
import { report } from './run-program.js'

describe.each(ways('spawn', 'forkserver', 'thread'))('%s', (method) => {
  test('arguments travel: handles as the same shared object, large values whole', async () => {
    expect(await report('arguments.mjs', { args: [method] })).toEqual({
      whileHeld: 1,
      whileFree: 0,
      sum: 0,
    })
  })

  test('thirty start at once', async () => {
    const timeoutMs = 40_000
    expect(await report('many.mjs', { args: [method, '30'], timeoutMs })).toEqual({
      active: 30,
      exitCodes: Array.from({ length: 30 }, (_, i) => i),
      after: 0,
    })
  }, 45_000)

  test('a child that cannot start says why, and leaves nothing', async () => {
    const env = { MP_MEMORY_LIMIT: String(32 << 20) }
    const outcomes = await report('start-failures.mjs', { args: [method], env, noisy: true })
    expect(outcomes).toEqual({
      'bad flag':
        method !== 'thread'
          ? 9
          : expect.stringMatching(/^StartError ERR_MP_START: .*--no-such-flag/),
      'bad directory': expect.stringMatching(
        method !== 'thread'
          ? /^StartError ERR_MP_START: .*no such file or directory/
          : /^TypeError .*`cwd`/,
      ),
      'file as directory': expect.stringMatching(
        method !== 'thread' ? /^StartError ERR_MP_START: .*ENOTDIR/ : /^TypeError .*`cwd`/,
      ),
      'failing preload': 1,
      'failing preload, blocked': 1,
      unsendable: expect.stringMatching(/^PicklingError ERR_MP_PICKLING: .*args/),
      'too large': expect.stringMatching(/^OutOfSharedMemoryError ERR_MP_OUT_OF_MEMORY: .*671/),
      again: ['ERR_MP_PICKLING', 'ERR_MP_PICKLING'],
      active: 0,
      left: { records: 0, pages: 0, slots: 0 },
    })
  })

  test('the limit of objects is that of the parent, whatever `env` says', async () => {
    const env = { MP_MAX_OBJECTS: '4096' }
    expect(await report('object-limit.mjs', { args: [method], env })).toEqual({
      own: 4096,
      without: 4096,
      other: 4096,
      forgotten: 4096,
    })
  })

  test('a Process cannot be sent to another', async () => {
    expect(await report('sent-process.mjs', { args: [method] })).toEqual({
      name: 'PicklingError',
      message: expect.stringMatching(/^cannot send Process-1: a Process can be used only by/),
    })
  })

  test('a child killed at any moment of its start leaves nothing', async () => {
    expect(await report('killed-early.mjs', { args: [method] })).toEqual({
      exitCodes: [-9],
      left: { records: 0, pages: 0, slots: 0 },
    })
  })

  test('its streams are those that were asked for', async () => {
    expect(await report('streams.mjs', { args: [method] })).toEqual({
      out: 'SOME INPUT',
      err: ['an error', 'Process Process-1:', 'Error: the end'],
      exitCode: 1,
      quiet: [null, null, null, 0],
    })
  })

  test('it inherits flags, environment and start method', async () => {
    const nodeArgs = ['--stack-trace-limit=20', '--inspect=0']
    const env = { MP_TEST_COLOR: 'blue' }
    const outcomes = (await report('surroundings.mjs', {
      args: [method],
      nodeArgs,
      env,
      noisy: true,
    })) as {
      plain: object
    }
    const flags = method !== 'thread' ? ['--stack-trace-limit=20'] : nodeArgs
    const plain = { color: 'blue', execArgv: flags, startMethod: method, token: false }
    expect(outcomes.plain).toMatchObject(plain)
    expect(outcomes).toMatchObject({
      env: { ...plain, color: 'red' },
      ...(method !== 'thread' && {
        cwd: true,
        execArgv: ['--stack-trace-limit=5'],
        fourth: true,
      }),
    })
  })
})

test.skipIf(isBareRun)(
  'without descriptors a process does not start, and can be started later',
  async () => {
    // Enough for the modules that a child opens side by side while it is loaded.
    const under = ['sh', '-c', 'ulimit -n 120; exec "$@"', 'sh']
    expect(await report('no-descriptors.mjs', { args: ['spawn'], under })).toEqual({
      outcome: 'ERR_MP_START',
      later: 0,
    })
  },
)

test.skipIf(isBareRun || !hasCompiler).each(['spawn', 'forkserver'])(
  'without memory a process does not start (%s), and can be started later',
  async (method) => {
    const refusal = expect.stringMatching(/^StartError ERR_MP_START: .*ENOMEM/) as unknown
    const outcomes = await withoutMemory((env) => report('no-memory.mjs', { args: [method], env }))
    expect(outcomes).toEqual([refusal, refusal, 3])
  },
)

test.each([
  [{ target: 5 }, 'Expected `target` to be a function, got `5`'],
  [{ args: 'abc' }, "Expected `args` to be an array, got `'abc'`"],
  [{ name: 7 }, 'Expected `name` to be a string, got `7`'],
  [{ daemon: 'yes' }, "Expected `daemon` to be a boolean, got `'yes'`"],
  [
    { startMethod: 'vfork' },
    "Expected `startMethod` to be one of 'spawn', 'forkserver', 'thread', got `'vfork'`",
  ],
  [
    { startMethod: 1 },
    "Expected `startMethod` to be one of 'spawn', 'forkserver', 'thread', got `1`",
  ],
  [{ env: 'PATH=x' }, "Expected `env` to be an object, got `'PATH=x'`"],
  [{ cwd: 1 }, 'Expected `cwd` to be a string or a URL, got `1`'],
  [{ execArgv: [1] }, 'Expected `execArgv` to be an array of strings, got `[ 1 ]`'],
  [
    { stdio: 'nowhere' },
    "Expected `stdio` to be 'inherit', 'ignore', 'pipe' or an array, got `'nowhere'`",
  ],
  [{ stdio: ['ipc'] }, "Expected `stdio` to be an array without 'ipc'"],
])('%o is refused', (options, message) => {
  expect(() => new Process(options as object)).toThrow(message)
})

test('options that are no object are refused', () => {
  expect(() => new Process(5 as unknown as object)).toThrow(
    'Expected `options` to be an object, got `5`',
  )
  const child = new Process()
  expect(() => (child.name = 5 as unknown as string)).toThrow(
    'Expected `name` to be a string, got `5`',
  )
  expect(() => (child.daemon = 1 as unknown as boolean)).toThrow(
    'Expected `daemon` to be a boolean',
  )
})
