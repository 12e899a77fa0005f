/** Process trees that are killed leave nothing. */
import { Program } from 'mp-internal'
import { expect, test } from 'vitest'
import { program, seed } from './programs.js'

// In parts, for each has to be over in half a minute on a slow machine.
test.each([1, 2, 3])(
  'nothing is left of process trees that are killed at random moments (%i)',
  async (part) => {
    const args = [program('leftovers'), '--times', '10', '--seed', `${seed + part}`]
    const { code, stdout, stderr } = await new Program(process.execPath, {
      args,
      timeoutMs: 75_000,
    }).end()
    expect({ code, stderr, problems: stdout.match(/^PROBLEM .*$/gm) }).toEqual({
      code: 0,
      stderr: '',
      problems: null,
    })
    expect(stdout).toContain('nothing is left behind')
  },
  80_000,
)
