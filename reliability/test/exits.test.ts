/** process.exit() in a storm of wakes. How often: `EXITS`, in all. */
import { Program } from 'mp-internal'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const TIMES = Number(process.env['EXITS'] ?? 16)
const fixture = fileURLToPath(new URL('fixtures/exit-in-storm.mjs', import.meta.url))

test.each(['main', 'worker'])(
  'a process can leave in the middle of a storm of wakes, every time (%s)',
  async (who) => {
    const leave = async (): Promise<void> => {
      const program = new Program(process.execPath, { args: [fixture, who] })
      expect(await program.end()).toEqual({ code: 7, signal: null, stdout: '', stderr: '' })
    }
    for (let n = 0; n < TIMES / 4; n++) await Promise.all([leave(), leave()])
  },
  Math.max(30_000, TIMES * 2_000),
)
