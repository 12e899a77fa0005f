/**
 * Runs programs of `fixtures/` in processes of their own: the tests of functions cannot be functions
 * of vitest's modules, whose imports it rewrites.
 */
import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packageDirectory = fileURLToPath(new URL('..', import.meta.url))
export const fixtures: string = fileURLToPath(new URL('./fixtures', import.meta.url))

// The loader that the examples run with, and the compiler that it brings along.
const fromExamples = createRequire(new URL('../../../examples/package.json', import.meta.url))
export const tsx: string = fromExamples.resolve('tsx/cli')
export const esbuild: string = join(createRequire(tsx).resolve('esbuild'), '../../bin/esbuild')

/** What a process wrote, after it ended well. */
export interface Output {
  readonly stdout: Buffer
  readonly stderr: string
}

/** Runs Node with arguments. @throws when it fails or does not end in time. */
export function runNode(
  args: readonly string[],
  { input, cwd }: { input?: Uint8Array; cwd?: string } = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      args,
      { cwd, encoding: 'buffer', timeout: 60_000, killSignal: 'SIGKILL', maxBuffer: 2 ** 28 },
      (error, stdout, stderr) => {
        const text = stderr.toString()
        if (error) reject(new Error(`${args.join(' ')} failed:\n${text}`, { cause: error }))
        else resolve({ stdout, stderr: text })
      },
    )
    child.stdin!.end(input)
  })
}

/** What `send.mjs` reports of a case. */
export interface Case {
  readonly name: string
  readonly ok: boolean
  readonly expected: string
  readonly actual: string
}

export async function runCorpus(args: readonly string[]): Promise<Case[]> {
  const { stdout } = await runNode(args)
  return JSON.parse(stdout.toString()) as Case[]
}

/** A copy of the fixtures as a package of its own, of either kind. */
export async function copyFixtures(
  type: 'module' | 'commonjs',
): Promise<{ directory: string; remove: () => Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'mp-pickle-'))
  await cp(fixtures, directory, { recursive: true })
  // TypeScript that is not only erased is no TypeScript of this project.
  for (const file of ['corpus-typescript.ts', 'lib/typed.ts']) {
    await rename(join(directory, `${file}.txt`), join(directory, file))
  }
  await mkdir(join(directory, 'node_modules', '@mp'), { recursive: true })
  await symlink(packageDirectory, join(directory, 'node_modules', '@mp', 'pickle'))
  for (const name of ['esm', 'cjs']) {
    await rename(join(directory, 'packages', name), join(directory, 'node_modules', `pkg-${name}`))
  }
  await writeFile(join(directory, 'package.json'), JSON.stringify({ type }))
  return { directory, remove: () => rm(directory, { recursive: true }) }
}
