import { isBareRun, ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { Program, report, runProgram } from './run-program.js'

test('children that end at the same moment each tell their own exit code', async () => {
  const outcome = await runProgram('ended-together.mjs')
  expect(outcome).toMatchObject({ code: 0, stdout: '0\n', stderr: '' })
})

describe.each(ways('spawn', 'forkserver', 'thread'))('%s', (method) => {
  test.each([
    ['return', 0],
    ['exit', 6],
  ])('a parent that ends by %s terminates its daemon', async (end, code) => {
    const outcome = await runProgram('daemons.mjs', { args: [method, end, 'daemon'] })
    expect(outcome).toMatchObject({ code, stdout: 'parent exits, alive: false\n', stderr: '' })
  })

  test.each([
    ['return', 0, ['child done', 'parent exits, alive: false']],
    ['exit', 6, ['child done', 'parent exits, alive: false']],
  ])('a parent that ends by %s waits for its child', async (end, code, lines) => {
    const outcome = await runProgram('daemons.mjs', { args: [method, end, 'child'] })
    expect(outcome).toMatchObject({ code, stderr: '' })
    expect(outcome.stdout.trim().split('\n')).toEqual(lines)
  })

  test('a parent that ends by an error shows it once, before it waits for its child', async () => {
    const program = new Program('daemons.mjs', { args: [method, 'throw', 'child'] })
    const { code, stdout, stderr } = await program.end()
    expect(code).toBe(1)
    expect(stderr.match(/Error: of the parent/g)).toHaveLength(1)
    expect(stdout).toContain('parent exits, alive: false')
  })

  test('a daemon may not have children, and makes daemons', async () => {
    expect(await report('daemon-rules.mjs', { args: [method] })).toEqual({
      daemon: true,
      inherited: true,
      code: 'ERR_MP_DAEMON',
    })
  })

  test.each(['end', 'exit', 'throw'])(
    'what a child writes is whole when it ends by %s',
    async (end) => {
      const { stdout, stderr } = await runProgram('output.mjs', { args: [method, end] })
      expect(stdout.length).toBe((2 << 20) + 4)
      expect(stdout.endsWith('yyylast')).toBe(true)
      expect(stderr.match(/e+/)?.[0].length).toBe(1 << 20)
      if (end === 'throw') expect(stderr).toContain(`Error: ${'z'.repeat(100_000)}`)
    },
  )

  test('a parent that ends without reading what its child writes does end', async () => {
    expect(await report('unread.mjs', { args: [method] })).toEqual({ exitCode: 0 })
  })

  test('no child outlives a parent that is killed while it starts', async () => {
    const program = new Program('killed-at-once.mjs', { args: [method] })
    expect((await program.end()).signal).toBe('SIGKILL')
  })

  test('no child outlives a parent that is killed, however busy all are', async () => {
    const program = new Program('orphans.mjs', { args: [method] })
    await program.untilOutput('ready')
    program.child.kill('SIGKILL')
    expect(await program.survivors(1_000)).toEqual([])
    expect((await program.end()).signal).toBe('SIGKILL')
  })
})

test.skipIf(isBareRun)('a daemon that does not heed SIGTERM is killed', async () => {
  const outcome = await runProgram('daemons.mjs', { args: ['spawn', 'exit', 'daemon', 'stubborn'] })
  expect(outcome).toMatchObject({
    code: 6,
    stdout: 'asked\nparent exits, alive: false\n',
    stderr: '',
  })
})

test.each(ways('spawn', 'forkserver'))(
  'a process by %s does not outlive the thread that started it',
  async (method) => {
    const stdio = 'pipe'
    const program = new Program('terminated-thread.mjs', { args: [method], stdio })
    await program.untilOutput('ready')
    expect(program.processes()).toHaveLength(method === 'spawn' ? 2 : 3)
    program.child.stdin?.write('kill the thread\n')
    await program.untilOutput('thread: -9')
    const deadline = performance.now() + 1_000
    while (program.processes().length > 1 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(program.processes()).toEqual([program.child.pid])
    program.child.stdin?.write('end\n')
    expect((await program.end()).code).toBe(0)
  },
)

// A whole tree, which needs the addon whatever it is made of.
test.skipIf(isBareRun).each([
  ['spawn', 6],
  // With a server for each process that starts others.
  ['forkserver', 8],
  ['thread', 1],
])(
  'Ctrl-C ends all of them by %s within a second, and one of them says a word',
  async (method, processes) => {
    const program = new Program('interrupted.mjs', { args: [method], detached: true })
    await program.untilOutput('ready')
    expect(program.processes()).toHaveLength(processes)
    process.kill(-(program.child.pid as number), 'SIGINT')
    expect(await program.survivors(1_000)).toEqual([])
    expect(await program.end()).toEqual({
      code: null,
      signal: 'SIGINT',
      stdout: 'ready\n',
      stderr: 'MainProcess was interrupted (SIGINT): it and its children end\n',
    })
  },
)

const handled = [
  ['the program handles it', { code: 3, signal: null, stdout: 'ready\nhandled\n' }],
  ['the program and the child handle it', { code: 0, signal: null, stdout: 'ready\n0\n' }],
] as const

test.each([
  // A child that is a thread gets no signal.
  ...(isBareRun ? [] : handled),
  ['no child is left', { code: null, signal: 'SIGINT', stdout: 'ready\n' }] as const,
])('nothing is said of Ctrl-C where %s', async (way, outcome) => {
  const program = new Program('interrupted-quietly.mjs', { args: [way], detached: true })
  await program.untilOutput('ready')
  process.kill(-(program.child.pid as number), 'SIGINT')
  expect(await program.end()).toEqual({ ...outcome, stderr: '' })
})
