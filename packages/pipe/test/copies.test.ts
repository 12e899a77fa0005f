import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

/** Pages of a message of 1 MiB. */
const ALL = 256

interface Faults {
  readonly recvBytes: number
  readonly get: number
  readonly residentBytes: number
}

async function measure(env: NodeJS.ProcessEnv): Promise<Faults> {
  const program = fileURLToPath(new URL('fixtures/page-faults.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [program], {
    env: { ...process.env, ...env },
    timeout: 28_000,
  })
  return JSON.parse(stdout) as Faults
}

const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } }

test.skipIf(header.glibcVersionRuntime === undefined)(
  'long messages are copied into memory that is there, unless the program has set its allocator otherwise',
  async () => {
    const usual = await measure({})
    expect(usual.recvBytes).toBeLessThan(ALL / 2)
    expect(usual.get).toBeLessThan(ALL / 2)
    // What is kept has a bound.
    expect(usual.residentBytes).toBeLessThan(400 * 1024 * 1024)

    const set = await measure({ MALLOC_TRIM_THRESHOLD_: '131072' })
    expect(set.recvBytes).toBeGreaterThanOrEqual(ALL)
    expect(set.get).toBeGreaterThanOrEqual(ALL)
  },
)
