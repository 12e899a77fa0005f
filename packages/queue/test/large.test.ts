import { execFile, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isBareRun } from 'mp-internal'
import { expect, test } from 'vitest'

const MIB = 1024 * 1024
const HUGE_MS = 180_000

async function run(
  fixture: string,
  args: readonly (string | number)[] = [],
  env: Record<string, string> = {},
  wrapper: readonly string[] = [],
  timeout = 28_000,
): Promise<unknown> {
  const program = fileURLToPath(new URL(`fixtures/${fixture}`, import.meta.url))
  const [command = '', ...rest] = [...wrapper, process.execPath, program, ...args.map(String)]
  const { stdout } = await promisify(execFile)(command, rest, {
    env: { ...process.env, ...env },
    timeout,
  })
  return JSON.parse(stdout) as unknown
}

test('what can never fit is refused at once, what fits later waits, and nothing else suffers', async () => {
  expect(await run('memory-limit.mjs', [], { MP_MEMORY_LIMIT: `${32 * MIB}` })).toEqual({
    refusals: ['ERR_MP_MESSAGE_TOO_LARGE'],
    queued: [0, 1, false],
    line: ['first', 'second'],
    through: [true, true, true, true, true],
    full: false,
    // A loan is no shared memory there.
    ...(isBareRun ? {} : { loan: 'ERR_MP_OUT_OF_MEMORY' }),
    stillWaits: true,
    waited: 5,
    pool: [
      'ERR_MP_MESSAGE_TOO_LARGE',
      5 * MIB,
      'ERR_MP_MESSAGE_TOO_LARGE',
      'ERR_MP_MESSAGE_TOO_LARGE',
      11,
    ],
  })
})

test('messages from empty to 64 MiB and more go to another process and back', async () => {
  const sizes = [0, 1, 65_535, 65_537, MIB, 64 * MIB + 1]
  expect(await run('large-messages.mjs', sizes)).toEqual({ whole: sizes, exitCode: 0 })
})

// Takes 10 GB of memory and 20 s of CPU: MP_TEST_HUGE=1 pnpm vitest run packages/queue/test/large.test.ts
test.runIf(process.env['MP_TEST_HUGE'] === '1')(
  'a message of 1 GiB goes there and back',
  { timeout: HUGE_MS },
  async () => {
    const sizes = [1024 * MIB]
    expect(await run('large-messages.mjs', sizes, {}, [], HUGE_MS)).toEqual({
      whole: sizes,
      exitCode: 0,
    })
  },
)

const namespace = ['unshare', '--user', '--map-root-user', '--mount']
const [unshare = '', ...unshareArgs] = namespace
// Containers may forbid it: then the command is to be run by hand, `docker run --shm-size=64m` likewise.
const canUnshare = spawnSync(unshare, [...unshareArgs, 'true']).status === 0

test.runIf(canUnshare).each([
  ['64 MB', 'mount -t tmpfs -o size=64m tmpfs /dev/shm'],
  ['nothing', 'mount -t tmpfs -o size=4k,mode=000 tmpfs /dev'],
])('/dev/shm of %s does not matter', async (_, mount) => {
  const sizes = [70 * MIB]
  const wrapper = [...namespace, 'sh', '-c', `${mount} && exec "$@"`, 'sh']
  expect(await run('large-messages.mjs', sizes, {}, wrapper)).toEqual({ whole: sizes, exitCode: 0 })
})
