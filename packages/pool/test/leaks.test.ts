/**
 * What is left of pools that have ended.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ways } from 'mp-internal'
import { expect, test } from 'vitest'

test.each(ways('spawn', 'thread'))(
  'pools of %s workers leave no shared memory and no descriptors, whatever they were used for',
  async (method) => {
    const program = fileURLToPath(new URL('fixtures/many-pools.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--expose-gc', program, method],
      { timeout: 29_000 },
    )
    const [first, second] = JSON.parse(stdout) as Record<string, number>[]
    expect(first).toMatchObject({ pages: 0, units: 0 })
    expect(second).toEqual(first)
  },
)
