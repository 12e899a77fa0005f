import { ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { Program, isOpenToOthers, report, runProgram } from './run-program.js'

test('a child that runs a plain function loads two files, and neither inspector nor parser', async () => {
  const outcome = (await report('loaded.mjs', { args: ['spawn'] })) as { ownFiles: string[] }
  expect(outcome).toEqual({
    ownFiles: ['child.cjs', expect.stringMatching(/^node\.napi\..*\.node$/)],
    builtins: [],
    title: 'node looker',
  })
})

test.each(['promise', 'blocking'])(
  'a child that ignores SIGTERM is killed by who asked (%s)',
  async (way) => {
    const expected = way === 'promise' ? [-9, 3] : [null, -9, null, 3]
    expect(await report('grace.mjs', { args: [way] })).toEqual([...expected, null, -9])
  },
)

test.each(ways('spawn', 'thread'))('%s: what happens is told on channels', async (method) => {
  const pid = (name: string): unknown => (method === 'thread' ? true : name)
  const start = (name: string, daemon: boolean): unknown => [
    'process:start',
    { name, pid: pid(name), startMethod: method, daemon },
  ]
  const exit = (name: string, exitCode: number): unknown => [
    'process:exit',
    { name, pid: pid(name), exitCode },
  ]
  expect(await report('events.mjs', { args: [method] })).toEqual([
    start('well', false),
    exit('well', 0),
    start('exits', true),
    exit('exits', 4),
    start('killed', false),
    ['process:death', { name: 'killed', pid: pid('killed'), signal: 9 }],
    exit('killed', -9),
  ])
})

test('NODE_DEBUG=mp writes what happens to stderr, in parent and child', async () => {
  const env = { NODE_DEBUG: 'mp' }
  const { stderr } = await runProgram('loaded.mjs', { args: ['spawn'], env })
  const lines = stderr.trim().split('\n')
  expect(lines[0]).toMatch(/^MP \d+: start name=looker pid=\d+ startMethod=spawn daemon=false$/)
  expect(lines).toContainEqual(expect.stringMatching(/^MP \d+: ready name=looker .*sinceStartMs=/))
  expect(lines).toContainEqual(expect.stringMatching(/^MP \d+: exit name=looker .*exitCode=0$/))
})

test.each(ways('spawn', 'forkserver', 'thread'))('%s: resource limits are kept', async (method) => {
  // A process that has no memory left aborts; a thread ends with an error.
  expect(await report('limits.mjs', { args: [method], noisy: true })).toEqual([
    method === 'thread' ? 1 : -6,
    1,
    2,
  ])
})

test.each(['spins', 'waits', 'reads'])(
  'a child that %s is gone 100 ms after its parent was killed',
  async (kind) => {
    let fastestMs = Infinity
    // A machine that is busy with other things may take longer to run anybody at all.
    for (let attempt = 0; attempt < 5 && fastestMs > 100; attempt++) {
      const program = new Program('orphan-kinds.mjs', { args: [kind] })
      await program.untilOutput('ready')
      expect(program.processes()).toHaveLength(2)
      const start = performance.now()
      program.child.kill('SIGKILL')
      expect(await program.survivors(2_000)).toEqual([])
      fastestMs = Math.min(fastestMs, performance.now() - start)
      await program.end()
    }
    expect(fastestMs).toBeLessThan(100)
  },
)

// Only another user than root has a limit of processes.
describe.skipIf(process.getuid?.() !== 0 || !isOpenToOthers())(
  'where the system refuses another process',
  () => {
    test.each([
      ['spawn', '--nproc=1', 'warm', 'EAGAIN'],
      ['forkserver', '--nproc=1', 'warm', 'EAGAIN'],
      ['forkserver', '--nproc=1', 'cold', 'EAGAIN'],
      ['forkserver', '--as=1', 'warm', 'ENOMEM'],
      ['thread', '--nproc=1', 'warm', 'EAGAIN'],
    ])('start() and join() by %s say so (%s, %s)', async (method, limit, when, reason) => {
      const under = ['setpriv', '--reuid=65534', '--clear-groups', '--']
      const args = [method, limit, when]
      const outcome = await report('no-processes.mjs', { args, under, noisy: true })
      expect(outcome).toEqual({
        statuses: expect.not.arrayContaining([1]),
        start: 'ERR_MP_START',
        join: 'ERR_MP_START',
        message: expect.stringContaining(reason),
      })
    })
  },
)

test.each([[['spawn']], [['spawn', 'thread']]])(
  'processes nest to any depth, and run their exit handlers: %s',
  async (methods) => {
    const { stdout, stderr, code } = await runProgram('nested.mjs', { args: methods })
    expect(stderr).toBe('')
    const names = [1, 2, 3, 4, 5].map((depth) => `Process-${Array(depth).fill(1).join(':')}`)
    const lines = [`exit of ${names[4]}: 3`]
    for (let depth = 3; depth >= 0; depth--) {
      const above = names[depth - 1] ?? 'MainProcess'
      lines.push(`${names[depth]} below ${above}: 3`, `exit of ${names[depth]}: 3`)
    }
    lines.push('MainProcess below undefined: 3', 'exit of MainProcess: 0')
    expect(stdout.trim().split('\n')).toEqual(lines)
    expect(code).toBe(0)
  },
)
