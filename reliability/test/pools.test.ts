/** Pools whose workers die: a sample of the matrix of crashes, and short storms. `pnpm crashes` and `pnpm storm:pool` have the rest. */
import { Program } from 'mp-internal'
import { expect, test } from 'vitest'
import { program, seed } from './programs.js'

test('whatever way a worker ends at whatever moment, each call settles as it should', async () => {
  const sample = process.env['CRASHES'] === 'all' ? [] : ['--sample', '3']
  const args = [program('crashes'), '--seed', `${seed}`, ...sample]
  const { code, stdout, stderr } = await new Program(process.execPath, {
    args,
    timeoutMs: sample.length === 0 ? 600_000 : 29_000,
  }).end()
  expect({ code, stderr, problems: stdout.match(/^PROBLEM .*$/gm) }).toEqual({
    code: 0,
    stderr: '',
    problems: null,
  })
  expect(stdout).toContain('every call has settled as it should')
}, 600_000)

test.each(['spawn', 'forkserver'])(
  'while workers are killed and tasks are aborted, each task settles exactly once (%s)',
  async (method) => {
    const args = [
      program('pool-storm'),
      '--tasks',
      '20000',
      '--method',
      method,
      '--seed',
      `${seed}`,
    ]
    const { code, stdout, stderr } = await new Program(process.execPath, {
      args,
      timeoutMs: 29_000,
    }).end()
    expect({ code, stderr, problems: stdout.match(/^PROBLEM .*$/gm) }).toEqual({
      code: 0,
      stderr: '',
      problems: null,
    })
    expect(stdout).toContain('each has settled once, all is well')
  },
)
