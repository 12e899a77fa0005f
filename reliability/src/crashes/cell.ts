/**
 * One cell of the matrix: workers of one start method end in one way at one moment, in every form of call.
 *
 * @module
 */
import { PoolBrokenError, ProcessPoolExecutor, WorkerLostError } from '@mp/pool'
import type { StartMethod } from '@mp/process'
import { type Item, Explosive, MOMENTS, type Moment, WAYS, type Way, initialize } from './deaths.js'
import { FORMS, type Form, type Outcome } from './forms.js'

export interface Cell {
  readonly startMethod: StartMethod
  readonly way: Way
  readonly moment: Moment
}

/** How long a form of call may take. */
const PATIENCE_MS = 10_000

/** @returns what is wrong. */
export async function tryCell(cell: Cell): Promise<string[]> {
  const { startMethod, way, moment } = cell
  const executor = new ProcessPoolExecutor({
    processes: 2,
    startMethod,
    stdio: 'ignore',
    ...(moment === 'initializer' ? { initializer: initialize, initArgs: [way] } : {}),
  })
  const problems: string[] = []
  try {
    for (const [name, form] of Object.entries(FORMS)) {
      for (const problem of await inTime(tryForm(executor, form, cell))) {
        problems.push(`${startMethod}, ${way}, ${moment}, ${name}: ${problem}`)
      }
    }
    const { queued, running } = executor.pool.stats().tasks
    if (queued + running !== 0) problems.push(`${queued} tasks are queued, ${running} run`)
  } finally {
    executor.terminateWorkers()
    await executor.pool.join({ timeout: PATIENCE_MS })
  }
  return problems
}

async function tryForm(
  executor: ProcessPoolExecutor,
  form: Form,
  { way, moment }: Cell,
): Promise<string[]> {
  const { fn, isLost } = MOMENTS[moment]
  const items = [1, moment === 'receiving' ? new Explosive(way) : way, 3]
  let outcomes: Outcome[]
  try {
    outcomes = await form(executor, fn as (item: unknown) => unknown, items)
  } catch (error) {
    // A broken pool takes no call at all.
    outcomes = items.map(() => ({ error }))
  }
  if (moment === 'initializer') return outcomes.flatMap(unlessBroken)
  const problems: string[] = []
  let lost = 0
  for (const outcome of outcomes) {
    if (isLost && isLossBy(outcome, way)) lost++
    else if ('error' in outcome) problems.push(`an item rejects with ${String(outcome.error)}`)
  }
  if (lost !== (isLost ? 1 : 0)) problems.push(`${lost} items are lost`)
  const values = outcomes.flatMap((outcome) => ('value' in outcome ? [outcome.value as Item] : []))
  const expected = isLost ? '1,3' : `1,3,${way}`
  if (values.map(String).sort().join(',') !== expected) problems.push(`it gives ${String(values)}`)
  return problems
}

function isLossBy(outcome: Outcome, way: Way): boolean {
  if (!('error' in outcome) || !(outcome.error instanceof WorkerLostError)) return false
  const { exitCode, signal } = outcome.error
  return exitCode === WAYS[way].exitCode && signal === WAYS[way].signal
}

function unlessBroken(outcome: Outcome): string[] {
  if ('error' in outcome && outcome.error instanceof PoolBrokenError) return []
  return [`an item of a pool whose workers cannot start settles with ${JSON.stringify(outcome)}`]
}

async function inTime(problems: Promise<string[]>): Promise<string[]> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string[]>((resolve) => {
    timer = setTimeout(() => resolve([`it is not over after ${PATIENCE_MS} ms`]), PATIENCE_MS)
  })
  try {
    return await Promise.race([problems, late])
  } finally {
    clearTimeout(timer)
  }
}
