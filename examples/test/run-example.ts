/**
 * Runs the programs of this folder as their readers would, from somewhere else.
 *
 * Nothing of them may be left: `Program.end()` sees to processes, the leak check to files.
 */
import { type Outcome, Program, runProgram } from 'mp-internal'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

const tsx = fileURLToPath(import.meta.resolve('tsx/cli'))
const TIMEOUT_MS = 25_000

/** Runs `tsx NAME` to its end; `scale` is the length of its seconds. */
export async function runExample(
  name: string,
  scale: number,
): Promise<Outcome & { lines: string[] }> {
  const outcome = await runProgram(process.execPath, {
    args: [tsx, pathOf(name)],
    env: { MP_EXAMPLE_SCALE: String(scale) },
    cwd: tmpdir(),
    timeoutMs: TIMEOUT_MS,
  })
  return { ...outcome, lines: outcome.stdout.trimEnd().split('\n') }
}

/** Starts the demo as the script `demo` does; in a process group of its own, as a shell would. */
export function startDemo(...args: string[]): Program {
  return new Program(process.execPath, {
    // Not by the command `tsx`: on Ctrl-C that kills a program that is busy for more than 60 ms.
    args: ['--import', import.meta.resolve('tsx'), pathOf('demo.ts'), ...args],
    cwd: tmpdir(),
    timeoutMs: TIMEOUT_MS,
    detached: true,
  })
}

/** Starts `tsx NAME` with arguments. */
export function startExample(name: string, args: string[], env: Record<string, string>): Program {
  return new Program(process.execPath, {
    // Not by the command `tsx`: its signals are to reach the program itself.
    args: ['--import', import.meta.resolve('tsx'), pathOf(name), ...args],
    env,
    cwd: tmpdir(),
    timeoutMs: TIMEOUT_MS,
  })
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../${name}`, import.meta.url))
}
