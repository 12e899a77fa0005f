/**
 * Every form of call to a pool, with what becomes of each of three items.
 *
 * @module
 */
import type { ProcessPoolExecutor } from '@mp/pool'

/** The result of an item, or its error. */
export type Outcome = { value: unknown } | { error: unknown }

type Fn = (item: unknown) => unknown
/** Gives the outcome of each item; the call itself does not throw. */
export type Form = (executor: ProcessPoolExecutor, fn: Fn, items: unknown[]) => Promise<Outcome[]>

export const FORMS: Record<string, Form> = {
  apply: (executor, fn, items) =>
    Promise.all(items.map((item) => outcomeOf(executor.pool.apply(fn, [item])))),
  applySync: async (executor, fn, items) =>
    items.map((item) => outcomeSync(() => executor.pool.applySync(fn, [item]))),
  applyAsync: (executor, fn, items) =>
    Promise.all(items.map((item) => outcomeOf(executor.pool.applyAsync(fn, [item]).get()))),
  map: async ({ pool }, fn, items) =>
    (await pool.map(fn, items, { chunkSize: 1, settle: true })).map(fromSettled),
  mapSync: async ({ pool }, fn, items) =>
    pool.mapSync(fn, items, { chunkSize: 1, settle: true }).map(fromSettled),
  starmap: async ({ pool }, fn, items) => {
    const rows = items.map((item): [unknown] => [item])
    return (await pool.starmap(fn, rows, { chunkSize: 1, settle: true })).map(fromSettled)
  },
  imap: ({ pool }, fn, items) => inTurn(pool.imap(fn, items), items.length),
  imapUnordered: ({ pool }, fn, items) => inTurn(pool.imapUnordered(fn, items), items.length),
  submit: (executor, fn, items) =>
    Promise.all(items.map((item) => outcomeOf(executor.submit(fn, item).result()))),
  resultSync: async (executor, fn, items) => {
    const futures = items.map((item) => executor.submit(fn, item))
    return futures.map((future) => outcomeSync(() => future.resultSync()))
  },
  // It ends with the first error: so each item has one of its own.
  executorMap: async (executor, fn, items) => {
    const all = items.map((item) => outcomeOf(executor.map(fn, [item]).next()))
    return (await Promise.all(all)).map((outcome) =>
      'error' in outcome ? outcome : { value: (outcome.value as { value: unknown }).value },
    )
  },
}

async function outcomeOf(result: Promise<unknown>): Promise<Outcome> {
  return result.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
}

function outcomeSync(call: () => unknown): Outcome {
  try {
    return { value: call() }
  } catch (error) {
    return { error }
  }
}

function fromSettled(settled: PromiseSettledResult<unknown>): Outcome {
  return settled.status === 'fulfilled' ? { value: settled.value } : { error: settled.reason }
}

async function inTurn(results: AsyncIterator<unknown>, count: number): Promise<Outcome[]> {
  const all: Outcome[] = []
  for (let i = 0; i < count; i++) {
    all.push(await outcomeOf(results.next().then(({ value }) => value as unknown)))
  }
  return all
}
