/**
 * The explorer's command line.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { type Bundle, type Globals, loadBundle } from './bundle.js'
import { mutations } from './mutations/index.js'
import { plans, widerPlans } from './plan.js'
import { runRandomly } from './random.js'
import { type Failure, explore } from './search.js'
import { UNBOUNDED } from './state.js'
import { formatTrace, parseTrace, tell } from './trace.js'
import { World } from './world.js'

const HELP = `Explores the shared-memory protocols, as compiled: every order of their steps, and deaths between any two.

  explore                            what the tests explore, and some of it in wider bounds
  explore SCENARIO… [options]        these scenarios
  explore --random SCENARIO… [options]
  explore --mutations [WORDS]        that each step left out is noticed
  explore --list                     the scenarios

  --deaths N         how many agents may be killed (0)
  --preemptions N    how often one that could go on is interrupted; left out: any number
  --states N         give up after so many states (5000000)
  --runs N           random runs (10000)
  --seed N           of the random runs (the time)
  --replay TRACE     tell a trace, such as "s0 s1 k0 n", of the one scenario; with the options it was found with
`

type Instantiate = (globals: Globals) => Bundle

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

function natural(name: string, text: string): number {
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value >= 0) return value
  throw new RangeError(
    `Expected --${name} to be a non-negative integer, got ${JSON.stringify(text)}`,
  )
}

interface Options extends Bounds {
  readonly help: boolean
  readonly list: boolean
  readonly random: boolean
  readonly mutations: boolean
  readonly positionals: readonly string[]
  readonly states: number
  readonly runs: number
  readonly seed: number
  readonly replay?: string | undefined
}

function options(): Options {
  try {
    return parse()
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${HELP}`)
    process.exit(2)
  }
}

function parse(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      random: { type: 'boolean', default: false },
      mutations: { type: 'boolean', default: false },
      deaths: { type: 'string', default: '0' },
      preemptions: { type: 'string', default: String(UNBOUNDED) },
      states: { type: 'string', default: '5000000' },
      runs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Date.now() % 0x7fffffff) },
      replay: { type: 'string' },
    },
  })
  return {
    ...values,
    positionals,
    deaths: natural('deaths', values.deaths),
    preemptions: Math.min(natural('preemptions', values.preemptions), UNBOUNDED),
    states: natural('states', values.states),
    runs: natural('runs', values.runs),
    seed: natural('seed', values.seed),
  }
}

/** Tells a failure, and how to see it again. */
function report(
  failure: Failure,
  name: string,
  make: Instantiate,
  world: World,
  bounds: Bounds,
): void {
  for (const line of tell(name, make, bounds, failure.trace, world)) say(`    ${line}`)
  say(`    ${failure.message}`)
  say(`    --replay "${formatTrace(failure.trace)}"`)
  process.exitCode = 1
}

interface Bounds {
  readonly deaths: number
  readonly preemptions: number
}

function exploreOne(make: Instantiate, name: string, bounds: Bounds, maxStates: number): void {
  const world = new World()
  const started = performance.now()
  const { states, steps, ends, complete, failure } = explore(
    name,
    make,
    { ...bounds, maxStates },
    world,
  )
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const verdict = failure !== undefined ? 'FAILED' : complete ? 'complete' : 'not complete'
  const bound = bounds.preemptions === UNBOUNDED ? 'any' : bounds.preemptions
  say(
    `${name.padEnd(26)} deaths ${bounds.deaths}  preemptions ${bound}  ` +
      `${states} states  ${steps} steps  ${ends} ends  ${seconds} s  ${verdict}`,
  )
  if (failure !== undefined) report(failure, name, make, world, bounds)
}

function runOne(make: Instantiate, name: string, deaths: number, runs: number, seed: number): void {
  const world = new World()
  const done = runRandomly(name, make, { deaths, runs, seed }, world)
  say(`${name.padEnd(26)} deaths ${deaths}  seed ${seed}  ${done.runs} runs  ${done.steps} steps`)
  if (done.failure === undefined) return
  report(done.failure, name, make, world, { deaths, preemptions: UNBOUNDED })
}

async function tryMutations(words: readonly string[]): Promise<void> {
  for (const { protocol, name, edits, scenario, deaths, preemptions } of mutations) {
    if (words.length > 0 && !words.every((word) => `${protocol}: ${name}`.includes(word))) continue
    const make = await loadBundle(edits)
    const { states, failure } = explore(scenario, make, {
      deaths,
      preemptions,
      maxStates: MUTANT_STATES,
    })
    say(`${failure ? 'noticed ' : 'SURVIVES'} ${protocol}: ${name} (${scenario}, ${states} states)`)
    if (failure === undefined) process.exitCode = 1
  }
}

const MUTANT_STATES = 400_000

async function main(): Promise<void> {
  const { help, list, random, mutations: isMutating, positionals, replay, ...rest } = options()
  const { deaths, preemptions, states, runs, seed } = rest
  if (help) return say(HELP)
  if (isMutating) return tryMutations(positionals)
  const make = await loadBundle()
  if (list) {
    for (const name of scenarioNames(make)) say(name)
    return
  }
  if (replay !== undefined) {
    const world = new World()
    const [name = ''] = positionals
    // So that it knows which words are shared, as it did when the trace was found.
    explore(name, make, { deaths, preemptions, maxStates: states }, world)
    for (const line of tell(name, make, { deaths, preemptions }, parseTrace(replay), world))
      say(line)
  } else if (random) {
    for (const name of positionals) runOne(make, name, deaths, runs, seed)
  } else if (positionals.length > 0) {
    for (const name of positionals) exploreOne(make, name, { deaths, preemptions }, states)
  } else {
    for (const { scenario, ...bounds } of [...plans, ...widerPlans]) {
      exploreOne(make, scenario, bounds, states)
    }
  }
}

/** The bundle's list, without running any of it. */
function scenarioNames(make: Instantiate): string[] {
  const nothing = new Proxy({}, { get: () => () => {} })
  const globals = { Atomics, Promise, AbortSignal, setTimeout, clearTimeout, queueMicrotask }
  const rest = { FinalizationRegistry, WeakRef, host: nothing }
  return make({ ...globals, ...rest } as unknown as Globals).scenarios.map(({ name }) => name)
}

await main()
