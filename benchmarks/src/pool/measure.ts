/**
 * Measures one pool: `node measure.js SPEC`. Prints one number.
 *
 * @module
 */
import { type Rival, openRival } from './rivals.js'
import type { PoolSpec } from './spec.js'
import { echo, noop, square } from './workers/functions.js'

const MEGABYTE = 2 ** 20

const spec = JSON.parse(process.argv[2] ?? '') as PoolSpec
const began = performance.now()
// Some pools do not keep the process alive for what they were asked.
const keepAlive = setInterval(() => {}, 60_000)
const isOurs = spec.pool === 'ours' || spec.pool === 'ours-thread'
const figure = isOurs ? await measureOurs() : await measureRival()
process.stdout.write(`${figure}\n`)
clearInterval(keepAlive)

async function measureOurs(): Promise<number> {
  const { Pool } = await import('@mp/pool')
  const pool = new Pool({
    processes: spec.workers,
    startMethod: spec.pool === 'ours' ? 'spawn' : 'thread',
  })
  const calls: Rival & { burst(): Promise<unknown> } = {
    noop: () => pool.apply(noop),
    burst: () => Promise.resolve(pool.applyAsync(noop)),
    echo: (bytes) => pool.apply(echo, [bytes]),
    close: () => pool[Symbol.asyncDispose](),
  }
  const items = Array.from({ length: spec.count }, (_, i) => i)
  let result: number
  if (spec.what === 'map') {
    result = await timed(async () => {
      await pool.map(square, items)
    })
  } else if (spec.what === 'imap') {
    result = await timed(async () => {
      for await (const _ of pool.imap(square, items));
    })
  } else {
    result = await measure(calls, () => calls.burst())
  }
  await calls.close()
  return result
}

async function measureRival(): Promise<number> {
  const rival = await openRival(spec.pool, spec.workers)
  const result = await measure(rival, () => rival.noop())
  await rival.close()
  return result
}

async function measure(rival: Rival, burst: () => Promise<unknown>): Promise<number> {
  switch (spec.what) {
    case 'cold':
      await rival.noop()
      return performance.now() - began
    case 'burst':
      return timed(async (count) => {
        const all: Promise<unknown>[] = []
        for (let i = 0; i < count; i++) all.push(burst())
        await Promise.all(all)
      })
    case 'round-trip': {
      const perSecond = await timed(async (count) => {
        for (let i = 0; i < count; i++) await rival.noop()
      })
      return 1e6 / perSecond
    }
    default: {
      const bytes = new Uint8Array(MEGABYTE).fill(7)
      const perSecond = await timed(async (count) => {
        for (let i = 0; i < count; i++) await rival.echo(bytes)
      })
      return perSecond * MEGABYTE
    }
  }
}

/** How many a second, once it is warm. */
async function timed(run: (count: number) => Promise<void>): Promise<number> {
  await run(spec.count)
  const before = performance.now()
  await run(spec.count)
  return (spec.count * 1000) / (performance.now() - before)
}
