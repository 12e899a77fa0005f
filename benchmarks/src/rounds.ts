/**
 * Lets the contenders of a contest measure in turns.
 *
 * The machine's speed changes while it measures. Contenders that take turns share that, and the ratio of two of one
 * round says more than that of two medians.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Contender, Contest } from './contest.js'

/** What a contender has shown, in the contest's unit: a value a round, or why there is none. */
export interface Figures {
  readonly contender: Contender
  readonly values: number[]
  failure?: string
}

const DEADLINE_MS = 60_000

/** Runs all contenders `rounds` times, in turns. Who fails once is out: `failure` says how, and stderr what it said. */
export async function compete(contest: Contest, rounds: number): Promise<Figures[]> {
  const all = contest.contenders.map((contender): Figures => ({ contender, values: [] }))
  for (let round = 0; round < rounds; round++) {
    for (const figures of all) {
      if (figures.failure !== undefined) continue
      const result = await run(figures.contender)
      if (typeof result === 'number') figures.values.push(result * contest.unit.factor)
      else figures.failure = result.failure
    }
  }
  return all
}

/** Runs a program, which must print a positive number and end well. */
async function run({ name, program, spec }: Contender): Promise<number | { failure: string }> {
  const isPython = program.endsWith('.py')
  const path = fileURLToPath(new URL(isPython ? `../${program}` : program, import.meta.url))
  const child = spawn(isPython ? 'python3' : process.execPath, [path, JSON.stringify(spec)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: DEADLINE_MS,
    killSignal: 'SIGKILL',
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const figure = Number(text)
  if (code === 0 && text !== '' && Number.isFinite(figure) && figure > 0) return figure
  const failure =
    code === 0
      ? `printed ${JSON.stringify(text)}`
      : `ended with ${code === null ? signal : `exit code ${code}`}`
  console.error(`${name} ${failure}: ${program} ${JSON.stringify(spec)}`)
  return { failure }
}
