import { setForkserverPreload } from '@mp/process'
import { expect, test } from 'vitest'
import { Program, isOpenToOthers, report, runProgram } from './run-program.js'

test('forks have their own pids, random numbers and descriptors', async () => {
  expect(await report('forkserver-siblings.mjs', { noisy: true })).toEqual({
    codes: [0, 0, 0, 0],
    pids: true,
    differing: [4, 4, 4, 4, 4, 4],
    preloaded: [4, 4, 4, 4],
    native: true,
    shared: [],
  })
})

test('a fork is a whole process, with what was loaded in advance', async () => {
  const { stdout, stderr, code } = await runProgram('forkserver-whole.mjs')
  expect(stderr).toBe('')
  expect(stdout.split('\n')).toEqual(['loaded in advance', 'whole', '0', ''])
  expect(code).toBe(0)
})

test('children outlive a server that is killed, and the next start gets another', async () => {
  expect(await report('forkserver-killed.mjs')).toEqual({
    codes: [3, -9, 5],
    replaced: true,
    parents: false,
  })
})

test.skipIf(process.getuid?.() !== 0 || !isOpenToOthers())(
  'a server cannot be reached by other users, nor used by who was its user',
  async () => {
    expect(await report('forkserver-users.mjs')).toEqual({
      codes: [4, 5],
      sockets: true,
      named: [],
      stranger: 'refused',
      replaced: true,
    })
  },
)

test('a server ends with the thread that is its last user, its children with it', async () => {
  expect(await report('forkserver-last-user.mjs')).toEqual({ servers: [0, 1, 0], code: 6 })
})

test('a fork counts from its own start, not from that of its server', async () => {
  expect(await report('forkserver-since.mjs')).toEqual({ positive: true, within: true })
})

// With flags of the program's own, the server leaves the engine as it is.
test.each(['--no-warnings', '--no-opt', '--jitless'])(
  'a fork has the environment of its parent, whatever has changed since the server started (%s)',
  async (flag) => {
    const nodeArgs = [flag]
    const outcome = await report('forkserver-environment.mjs', { nodeArgs, noisy: true })
    expect(outcome).toEqual([0, 0, 0, 0])
  },
)

// Stopped with the allocator's lock in its hands, a thread of the server keeps it: one in four rounds would hang.
test('a server whose threads are at work when it stops them gets ready', async () => {
  const rounds = process.env['FORKSERVER_ROUNDS'] ?? '5'
  const env = { GLIBC_TUNABLES: 'glibc.malloc.tcache_count=0:glibc.malloc.arena_max=1' }
  const timeoutMs = 4000 * Number(rounds)
  expect(await report('forkserver-busy.mjs', { args: [rounds], env, timeoutMs })).toEqual(
    Array.from({ length: Number(rounds) }, () => 3),
  )
}, 3_600_000)

test('whatever is killed while children start, each start ends, and the next one works', async () => {
  const seconds = process.env['FORKSERVER_SECONDS'] ?? '3'
  const timeoutMs = 1000 * Number(seconds) + 20_000
  expect(
    await report('forkserver-hunted.mjs', { args: [seconds], noisy: true, timeoutMs }),
  ).toEqual({
    started: true,
    unexpected: [],
    last: 7,
  })
}, 3_600_000)

test.each(['left', 'killed', 'interrupted', 'without a server', 'ended'])(
  'while children are started one after the other the next one is in stock (%s)',
  async (fate) => {
    expect(await report('forkserver-row.mjs', { args: [fate] })).toEqual({
      outcome: true,
      codes: true,
    })
  },
)

test.each([
  [
    './preload-connection.mjs',
    /^\(node:\d+\) \[MP_FORKSERVER_UNAVAILABLE\] .* descriptor \d+ open: socket/,
  ],
  ['./preload-lock.mjs', /^\(node:\d+\) \[MP_FORKSERVER_UNAVAILABLE\] .* makes shared objects/],
  [
    './no-such-file.mjs',
    /^\(node:\d+\) \[MP_FORKSERVER_PRELOAD\] .* cannot load \.\/no-such-file\.mjs/,
  ],
])(
  'with %s in advance children start all the same, and one warning says why',
  async (preload, warning) => {
    const { code, stdout, stderr } = await runProgram('forkserver-unusable.mjs', {
      args: [preload],
    })
    expect(code).toBe(0)
    expect(stdout).toBe('[0,0]\n')
    expect(stderr).toMatch(warning)
    expect(stderr.match(/Warning:/g)).toHaveLength(1)
  },
)

test('what modules that are loaded in advance do at the end of a process is done by children alone', async () => {
  const { stdout, stderr } = await runProgram('forkserver-exits.mjs')
  expect(stderr).toBe('')
  expect(stdout).toBe('beforeExit\nexit\n'.repeat(8))
})

// V8 collects garbage of its own accord 8 s after a process has started; of a fork, that would be all that it shares.
test('a fork of an old server shares as much memory as one of a new server', async () => {
  expect(await report('forkserver-age.mjs')).toEqual({ isTheSame: true })
})

test('a stopped fork does not outlive its parent', async () => {
  const program = new Program('forkserver-stopped.mjs')
  await program.untilOutput('stopped')
  program.child.kill('SIGKILL')
  expect(await program.survivors(1_000)).toEqual([])
  expect((await program.end()).signal).toBe('SIGKILL')
})

test('what is to be loaded in advance is checked', () => {
  expect(() => setForkserverPreload('x' as never)).toThrow(
    "Expected `names` to be an array of module names, got `'x'`",
  )
})
