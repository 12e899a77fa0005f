import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isBareRun } from 'mp-internal'
import { expect, test } from 'vitest'

test('when the memory is full, puts wait or say so, and nothing is lost', async () => {
  const program = fileURLToPath(new URL('fixtures/full-memory.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env: { ...process.env, MP_MEMORY_LIMIT: `${16 * 1024 * 1024}` },
    timeout: 20_000,
  })
  const seen = JSON.parse(stdout) as Record<string, unknown>
  expect(seen).toMatchObject({ tooLarge: true, full: true, inOrder: true })
  // Each takes two pages of 64 KiB.
  expect(seen['count']).toBeGreaterThan(100)
})

test.skipIf(isBareRun)(
  'a put that waits for memory goes on when some is freed, however that happens',
  async () => {
    const program = fileURLToPath(new URL('fixtures/freed-memory.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program], {
      env: { ...process.env, MP_MEMORY_LIMIT: `${16 * 1024 * 1024}` },
      timeout: 25_000,
    })
    const seen = JSON.parse(stdout) as Record<string, number>
    expect(Object.keys(seen)).toHaveLength(6)
    for (const [way, medianMs] of Object.entries(seen)) {
      // Woken: nobody looks by itself before 100 ms have passed. A collection takes its time.
      const isLate = medianMs > 60 && !way.startsWith('collected')
      expect({ way, isLate }).toEqual({ way, isLate: false })
    }
  },
)
