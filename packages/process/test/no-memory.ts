/** A library that makes a program's processes lack memory; built where there is a compiler. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const compiler = process.env['CC'] ?? 'cc'

export const hasCompiler: boolean = spawnSync(compiler, ['--version']).status === 0

/** Runs something with the environment that a program needs to be refused processes while the file is there. */
export async function withoutMemory<R>(
  run: (env: Record<string, string>) => Promise<R>,
): Promise<R> {
  const folder = mkdtempSync(join(tmpdir(), 'mp-no-memory-'))
  try {
    const library = join(folder, 'no-memory.so')
    const source = fileURLToPath(new URL('fixtures/no-memory.c', import.meta.url))
    execFileSync(compiler, ['-Wall', '-Werror', '-shared', '-fPIC', '-o', library, source, '-ldl'])
    return await run({ LD_PRELOAD: library, MP_TEST_NO_MEMORY: join(folder, 'no memory') })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
