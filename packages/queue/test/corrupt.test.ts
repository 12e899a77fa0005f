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

test(`words of messages that are overwritten at random give an error and hurt nobody else (SEED=${seed})`, async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [PROGRAM, `${seed}`, `${ROUNDS}`],
    {
      env: { ...process.env, MP_MEMORY_LIMIT: `${256 * 1024 * 1024}` },
      timeout: 25_000,
    },
  )
  const seen = JSON.parse(stdout) as Seen
  expect(seen).toMatchObject({ unexpected: [], isWitnessWhole: true })
  expect(seen.errors['ERR_MP_CORRUPT']).toBeGreaterThan(ROUNDS / 4)
  expect(seen.values).toBeGreaterThan(ROUNDS)
})
