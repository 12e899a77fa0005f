/**
 * Runs a program of this folder as its reader would: `tsx lock.ts`, from somewhere else.
 *
 * Nothing of it may be left: `Program.end()` sees to processes, the leak check to files.
 */
import { type Outcome, Program, type ProgramOptions } from 'mp-internal'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

const tsx = fileURLToPath(import.meta.resolve('tsx/cli'))

export function startExample(name: string, options: ProgramOptions = {}): Program {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url))
  const { args = [], ...rest } = options
  return new Program(process.execPath, {
    timeoutMs: 25_000,
    ...rest,
    args: [tsx, file, ...args],
    cwd: tmpdir(),
  })
}

/** Runs it to its end; `scale` is the length of its seconds. */
export async function runExample(name: string, scale: number): Promise<Outcome & { lines: string[] }> {
  const outcome = await startExample(name, { env: { MP_EXAMPLE_SCALE: String(scale) } }).end()
  return { ...outcome, lines: outcome.stdout.trimEnd().split('\n') }
}
