/**
 * Measures one pool: `node measure.js SPEC`. Prints one number, once every result has been looked at.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { shareOfTree } from '../programs/memory.js'
import { ensure } from '../programs/spec.js'
import { type MakePool, type Rival, loadRival } from './rivals.js'
import type { PoolSpec } from './spec.js'
import { echo, noop, square, work } from './workers/functions.js'

const MEGABYTE = 2 ** 20
const FILLING = 7
/** How long a rival may take to close: poolifier (5.3.2) is done at times, and never says so. */
const GRACE_MS = 2_000

/** A pool of ours has calls that others have not. */
interface Calls extends Rival {
  /** One of many tasks that are given at once, which is `noop` but for its form. */
  burst?(): PromiseLike<unknown>
  map?(items: readonly number[]): Promise<number[]>
  imap?(items: readonly number[]): AsyncIterable<number>
}

const spec = JSON.parse(process.argv[2] ?? '') as PoolSpec
const began = performance.now()
// Some pools do not keep the process alive for what they were asked.
setInterval(() => {}, 60_000)
const make = spec.pool.startsWith('ours') ? await loadOurs() : await loadRival(spec.pool)
const before = spec.what === 'memory' ? shareOfTree() : 0
const pool: Calls = make(spec.workers)
const figure = await measure()
await (spec.pool.startsWith('ours') ? pool.close() : Promise.race([pool.close(), delay(GRACE_MS)]))
process.stdout.write(`${figure}\n`, () => process.exit())

async function loadOurs(): Promise<MakePool> {
  const { Pool } = await import('@mp/pool')
  const startMethods = { 'ours-forkserver': 'forkserver', 'ours-thread': 'thread' } as const
  const startMethod = startMethods[spec.pool as keyof typeof startMethods] ?? 'spawn'
  return (workers): Calls => {
    const pool = new Pool({ processes: workers, startMethod })
    return {
      noop: () => pool.apply(noop),
      burst: () => pool.applyAsync(noop),
      inline: (n) => pool.apply((x: number) => x + 1, [n]),
      echo: (bytes) => pool.apply(echo, [bytes]),
      work: (seed) => pool.apply(work, [seed]),
      map: (items) => pool.map(square, items),
      imap: (items) => pool.imap(square, items),
      close: () => pool[Symbol.asyncDispose](),
    }
  }
}

async function measure(): Promise<number> {
  switch (spec.what) {
    case 'cold':
      ensure((await pool.noop()) === 1, 'The first result is wrong')
      return performance.now() - began
    case 'burst':
      return timed(burst)
    case 'inline':
      return timed(inline)
    case 'round-trip':
      return 1e6 / (await timed(roundTrips))
    case 'first-trips':
      await roundTrips(1)
      return ((await milliseconds(() => roundTrips(spec.count))) * 1000) / spec.count
    case 'large':
      return MEGABYTE * (await timed(large))
    case 'map':
      return timed(map)
    case 'imap':
      return timed(imap)
    case 'speed-up':
      return speedUp()
    default:
      return memory()
  }
}

/** How many a second, once it is warm. */
async function timed(run: (count: number) => Promise<void>): Promise<number> {
  await run(Math.ceil(spec.count / 5))
  return (spec.count * 1000) / (await milliseconds(() => run(spec.count)))
}

async function milliseconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await run()
  return performance.now() - start
}

async function burst(count: number): Promise<void> {
  const give = pool.burst ?? pool.noop
  const all: PromiseLike<unknown>[] = []
  for (let i = 0; i < count; i++) all.push(give())
  const results = await Promise.all(all)
  ensure(results.length === count && results.every((one) => one === 1), 'A result is wrong')
}

async function inline(count: number): Promise<void> {
  const results = await Promise.all(numbers(count).map((n) => pool.inline!(n)))
  ensure(results.length === count && results.every((one, i) => one === i + 1), 'A result is wrong')
}

async function roundTrips(count: number): Promise<void> {
  for (let i = 0; i < count; i++) ensure((await pool.noop()) === 1, 'A result is wrong')
}

async function large(count: number): Promise<void> {
  const bytes = new Uint8Array(MEGABYTE).fill(FILLING)
  for (let i = 0; i < count; i++) {
    const back = (await pool.echo(bytes)) as Uint8Array
    ensure(
      back.length === MEGABYTE && back[0] + back[MEGABYTE - 1] === 2 * FILLING,
      'A result is not what was sent',
    )
  }
}

async function map(count: number): Promise<void> {
  const results = await pool.map!(numbers(count))
  ensure(
    results.length === count && results.every((square, i) => square === i * i),
    'A result is wrong',
  )
}

async function imap(count: number): Promise<void> {
  let i = 0
  for await (const square of pool.imap!(numbers(count))) {
    ensure(square === i * i, 'A result is wrong')
    i++
  }
  ensure(i === count, 'Results are missing')
}

async function speedUp(): Promise<number> {
  const count = Math.max(spec.count, 2 * spec.workers)
  let alone = numbers(count).map(work)
  const together = async (): Promise<void> => {
    const results = await Promise.all(numbers(count).map((seed) => pool.work(seed)))
    ensure(
      results.every((one, i) => one === alone[i]),
      'A result is wrong',
    )
  }
  await together()
  const aloneMs = await milliseconds(async () => (alone = numbers(count).map(work)))
  return aloneMs / (await milliseconds(together))
}

/** What a worker adds, when all have worked: some start with the pool, some when they are needed. */
async function memory(): Promise<number> {
  await Promise.all(numbers(spec.count * spec.workers).map((seed) => pool.work(seed)))
  return (shareOfTree() - before) / spec.workers
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
