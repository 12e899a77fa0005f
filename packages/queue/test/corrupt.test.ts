import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('fixtures/corrupt-ring.mjs', import.meta.url))
const ROUNDS = 400
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31))

interface Seen {
  errors: Record<string, number>
  values: number
  unexpected: string[]
  isWitnessWhole: boolean
}

test.each([
  ['at random', seed, {}],
  ['as once read for a page before the first', 1643029706, { MP_PLATFORM: 'bare' }],
])(
  `words of messages that are overwritten %s give an error and hurt nobody else (SEED=${seed})`,
  async (_, from, env) => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [PROGRAM, `${from}`, `${ROUNDS}`],
      {
        env: { ...process.env, MP_MEMORY_LIMIT: `${256 * 1024 * 1024}`, ...env },
        timeout: 25_000,
      },
    )
    const seen = JSON.parse(stdout) as Seen
    expect(seen).toMatchObject({ unexpected: [], isWitnessWhole: true })
    expect(seen.errors['ERR_MP_CORRUPT']).toBeGreaterThan(ROUNDS / 4)
    expect(seen.values).toBeGreaterThan(ROUNDS)
  },
)
