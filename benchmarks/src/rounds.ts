/**
 * Lets the contenders of a contest measure in turns.
 *
 * The machine's speed changes while it measures. Contenders that take turns share that,
 * and the ratio of two of one round says more than that of two medians.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Contender, Contest } from './contests.js'
import { median } from './programs/spec.js'

/** What a contender has shown. */
export interface Figures {
  readonly name: string
  readonly values: readonly number[]
  /** How many times better the first contender is; 1 of itself. */
  readonly ratio: number
}

const PYTHON_PROGRAMS: Partial<Record<Contender['program'], string>> = {
  python: fileURLToPath(new URL('../python/messages.py', import.meta.url)),
  'python-pool': fileURLToPath(new URL('../python/pools.py', import.meta.url)),
}
const POOL_PROGRAM = fileURLToPath(new URL('./pool/measure.js', import.meta.url))
const DEADLINE_MS = 120_000

/** Why Python cannot take part, or undefined when it can. */
export function whyNoPython(): string | undefined {
  const { status, stdout } = spawnSync('python3', [
    '-c',
    'import sys; print("%d.%d" % sys.version_info[:2])',
  ])
  if (status !== 0) return 'there is no python3 on PATH'
  const version = stdout.toString().trim()
  const [major, minor] = version.split('.').map(Number)
  return major > 3 || minor >= 11 ? undefined : `python3 is ${version}, not 3.11 or newer`
}

/** Runs all contenders `rounds` times, in turns. */
export async function compete(contest: Contest, rounds: number): Promise<Figures[]> {
  const values = contest.contenders.map((): number[] => [])
  for (let round = 0; round < rounds; round++) {
    for (const [i, contender] of contest.contenders.entries()) {
      values[i].push((await run(contender)) * contest.unit.factor)
    }
  }
  return contest.contenders.map(({ name }, i) => ({
    name,
    values: values[i],
    ratio: median(
      values[i].map((value, round) =>
        contest.unit.better === 'more' ? values[0][round] / value : value / values[0][round],
      ),
    ),
  }))
}

async function run({ name, program, spec }: Contender): Promise<number> {
  const python = PYTHON_PROGRAMS[program]
  const path =
    python ??
    (program === 'pool'
      ? POOL_PROGRAM
      : fileURLToPath(new URL(`./programs/${program}.js`, import.meta.url)))
  const child = spawn(
    python === undefined ? process.execPath : 'python3',
    [path, JSON.stringify(spec)],
    { stdio: ['ignore', 'pipe', 'inherit'], timeout: DEADLINE_MS, killSignal: 'SIGKILL' },
  )
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  const figure = Number(text)
  if (code !== 0 || text === '' || !Number.isFinite(figure)) {
    throw new Error(`${name} ended with ${code ?? signal}: ${JSON.stringify(spec)}\n${text}`)
  }
  return figure
}
