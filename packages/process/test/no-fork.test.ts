/** The start method `forkserver` on systems for which copying a process is not written. */
import { fileURLToPath } from 'node:url'
import { isBareRun, runProgram } from 'mp-internal'
import { expect, test } from 'vitest'

test.skipIf(isBareRun)('it starts by spawn, and one warning says why', async () => {
  const program = fileURLToPath(new URL('fixtures/no-fork.mjs', import.meta.url))
  const { stdout, stderr, code } = await runProgram(process.execPath, { args: [program] })
  expect(code).toBe(0)
  expect(stdout.split('\n').sort()).toEqual(['', '0', '0', 'from a child', 'from a child'])
  expect(stderr.match(/MP_FORKSERVER_UNAVAILABLE.*x64 with glibc only/g)).toHaveLength(1)
})
