/**
 * What a program can see of its pool.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Progress } from '@mp/pool'
import { afterEach, expect, test } from 'vitest'
import { ProgressBar } from '../dist/progress-bar.js'
import * as tasks from './fixtures/tasks.mjs'
import { endPools, makePool } from './make-pool.js'

afterEach(endPools)

const numbers = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

test('progress is told with rate, failures and time left', async () => {
  const pool = makePool(2)
  const seen: Progress[] = []
  const onProgress = (progress: Progress): void => void seen.push(progress)
  await pool.map(tasks.evenOnly, numbers(10), { chunkSize: 5, settle: true, onProgress })
  expect(seen).toMatchObject([
    { done: 5, total: 10 },
    { done: 10, total: 10, failed: 5, etaMs: 0 },
  ])
  expect(seen[1]?.rate).toBeGreaterThan(0)
})

test('how many items an imap has is known when its input tells', async () => {
  const pool = makePool(1)
  const totals: unknown[] = []
  const onProgress = ({ total }: Progress): void => void totals.push(total)
  for (const items of [[1], new Set([1]), Int8Array.of(1), [1].values()]) {
    for await (const _ of pool.imap(tasks.square, items, { onProgress }));
  }
  expect(totals).toEqual([1, 1, 1, undefined])
})

test('a callback sees the async context of the call', async () => {
  const pool = makePool(1)
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const onProgress = (): void => void seen.push(storage.getStore())
  await storage.run('first', () => pool.apply(tasks.square, [1]))
  await Promise.all([
    storage.run('a', () => pool.map(tasks.square, [1], { onProgress })),
    storage.run('b', async () => {
      for await (const _ of pool.imap(tasks.square, [1], { onProgress }));
    }),
  ])
  expect(new Set(seen)).toEqual(new Set(['a', 'b']))
  expect(seen).toHaveLength(2)
  await storage.run('c', async () => {
    await pool.applyAsync(tasks.square, [1])
    expect(storage.getStore()).toBe('c')
  })
})

test('a bar shows done, rate, time left and failures, and is one at a time', () => {
  const progress = { done: 50, total: 100, failed: 3, elapsedMs: 5000, rate: 10, etaMs: 65_000 }
  const shown = (columns: number, last: Progress): string => {
    let text = ''
    const bar = ProgressBar.on({ isTTY: true, columns, write: (more) => (text += more) })
    bar?.draw(progress)
    expect(ProgressBar.on({ isTTY: true, write: () => {} })).toBe(undefined)
    bar?.end(last)
    return text
  }
  const clear = '\r\u{1b}[2K'
  const line = '[############------------] 50/100 50% 10/s ETA 1:05 3 failed'
  const full = '[########################] 100/100 100% 10/s in 0:05 3 failed'
  expect(shown(200, { ...progress, done: 100 })).toBe(`${clear}${line}${clear}${full}\n`)
  // So says one that does not know its width.
  expect(shown(0, { ...progress, done: 100 })).toContain(`${line}${clear}${full}\n`)
  expect(shown(11, progress)).toBe(`${clear}[#########${clear}[#########\n`)
  const unknown = { ...progress, total: undefined, failed: 0, etaMs: undefined }
  expect(shown(200, unknown)).toContain(`${clear}50 done 10/s\n`)
  expect(ProgressBar.on({ isTTY: false, write: () => {} })).toBe(undefined)
})

test('statistics count tasks, times and bytes', async () => {
  const since = performance.now()
  const pool = makePool(2)
  await pool.map(tasks.squareLater, numbers(20), { chunkSize: 1 })
  await pool.apply(tasks.evenOnly, [1]).catch(() => {})
  const { tasks: counts, waitMs, runMs, workers, serialization } = pool.stats()
  expect(counts).toEqual({
    submitted: 21,
    completed: 20,
    failed: 1,
    retried: 0,
    queued: 0,
    running: 0,
  })
  expect(runMs.p50).toBeGreaterThan(0.5)
  expect(runMs.p99).toBeGreaterThanOrEqual(runMs.p50)
  expect(waitMs.p95).toBeGreaterThan(0)
  // It counts from the call.
  expect(waitMs.p99).toBeLessThan(30_000)
  expect(workers).toHaveLength(2)
  expect(workers.reduce((sum, worker) => sum + worker.tasks, 0)).toBe(21)
  for (const { busy } of workers) expect(busy >= 0 && busy <= 1).toBe(true)
  expect(serialization.bytesSent).toBeGreaterThan(0)
  expect(serialization.bytesReceived).toBeGreaterThan(0)
  expect(serialization.timeMs).toBeGreaterThan(0)
  // Long arguments are timed.
  await pool.apply(tasks.identity, ['x'.repeat(10_000)])
  const { waitMs: waits, serialization: all } = pool.stats()
  const elapsed = performance.now() - since
  // A class of the distribution is as wide as that.
  expect(waits.p99).toBeLessThan(elapsed * 1.2)
  expect(all.timeMs).toBeLessThan(3 * elapsed)
})

test('a trace has a lane for each worker, and all tasks when the pool has ended', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mp-pool-'))
  try {
    const path = join(folder, 'trace.json')
    const since = performance.now()
    const pool = makePool({ processes: 2, name: 'Tracer' })
    await pool.apply(tasks.square, [1])
    pool.trace(path)
    expect(spans(path)).toHaveLength(1)
    await pool.map(tasks.squareLater, numbers(10), { chunkSize: 1 })
    pool.close()
    await pool.join({ timeout: 10_000 })
    expect(spans(path)).toHaveLength(11)
    expect(new Set(spans(path).map(({ name }) => name))).toEqual(new Set(['square', 'squareLater']))
    const elapsed = performance.now() - since
    for (const { ts, dur, args } of spans(path)) {
      expect(ts > 0 && dur >= 0).toBe(true)
      expect(args.waited_ms).toBeGreaterThanOrEqual(0)
      expect(args.waited_ms).toBeLessThan(elapsed)
    }
    const lanes = events(path).filter(({ name }) => name === 'thread_name')
    expect(lanes.map(({ args }) => args.name)).toEqual([
      expect.stringContaining('Tracer-1'),
      expect.stringContaining('Tracer-2'),
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a trace that cannot be written is refused, or warned of when nobody asks any more', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mp-pool-'))
  const warned = once(process, 'warning') as Promise<[Error]>
  try {
    const pool = makePool({ processes: 1, name: 'Tracer' })
    expect(() => pool.trace(join(folder, 'missing', 'trace.json'))).toThrow('ENOENT')
    pool.trace(join(folder, 'trace.json'))
    expect(await pool.apply(tasks.square, [2])).toBe(4)
  } finally {
    rmSync(folder, { recursive: true })
    await endPools()
  }
  expect((await warned)[0].message).toMatch(/^Cannot write the trace of Tracer: Error: ENOENT/)
})

interface TraceEvent {
  name: string
  ph: string
  ts: number
  dur: number
  args: { name: string; waited_ms: number }
}

const events = (path: string): TraceEvent[] =>
  JSON.parse(readFileSync(path, 'utf8')) as TraceEvent[]
const spans = (path: string): TraceEvent[] => events(path).filter(({ ph }) => ph === 'X')

test('those who watch are told of tasks and workers', async () => {
  const told: string[] = []
  const names = ['task:submit', 'task:settle', 'task:retry', 'worker:start', 'worker:end']
  const listeners = names.map((name) => {
    const listener = (message: unknown): void => {
      if ((message as { pool: string }).pool === 'Watched') told.push(name)
    }
    subscribe(`mp:pool:${name}`, listener)
    return () => unsubscribe(`mp:pool:${name}`, listener)
  })
  try {
    const pool = makePool({ processes: 1, name: 'Watched' })
    await pool.apply(tasks.square, [1])
    await pool.apply(tasks.killSelf, [], { retries: 1 }).catch(() => {})
    await endPools()
  } finally {
    for (const stop of listeners) stop()
  }
  expect(told.slice(0, 4)).toEqual(['worker:start', 'task:submit', 'task:settle', 'task:submit'])
  expect(told).toContain('task:retry')
  expect(told.at(-1)).toBe('worker:end')
})
