/**
 * Measures what a process takes that gives a pool many tasks at once: `node scripts/pool-memory.mjs [TASKS]`, a million
 * if left out.
 *
 * For each form of call, in a process of its own: the bytes that each waiting task keeps with its result (heap and
 * message, after a collection), and the most resident memory until all are done, above what it was before. `room`
 * awaits `pool.room()` before each call and keeps no result.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { ProcessPoolExecutor } from '@mp/pool'

const identity = (n) => n

async function measure(form, count) {
  const executor = new ProcessPoolExecutor(2)
  const { pool } = executor
  const ask = {
    applyAsync: (n) => pool.applyAsync(identity, [n]),
    apply: (n) => pool.apply(identity, [n]),
    submit: (n) => executor.submit(identity, n),
  }[form]
  await pool.map(identity, [1, 2])
  const before = memory()
  let most = 0
  const look = () => (most = Math.max(most, process.memoryUsage().rss))
  const results = []
  const begin = performance.now()
  for (let n = 0; n < count; n++) {
    if (ask !== undefined) {
      results.push(ask(n))
    } else {
      await pool.room()
      void pool.applyAsync(identity, [n])
      if (n % 1000 === 0) look()
    }
  }
  const ms = performance.now() - begin
  const waiting = pool.stats().tasks.queued
  const each = (memory().kept - before.kept) / count
  const timer = setInterval(look, 10)
  await executor.shutdown()
  clearInterval(timer)
  const peak = (most - before.rss) / 2 ** 20
  return { form, waiting, bytes: Math.round(each), peakMiB: Math.round(peak), ms: Math.round(ms) }
}

function memory() {
  globalThis.gc()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { kept: heapUsed + external, rss }
}

const [form, count = '1000000'] = process.argv[2] === '--form' ? process.argv.slice(3) : []
if (form !== undefined) {
  process.stdout.write(JSON.stringify(await measure(form, Number(count))))
} else {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), '--form']
  const rows = ['applyAsync', 'submit', 'apply', 'room'].map((name) => {
    const child = spawnSync(process.execPath, [...args, name, process.argv[2] ?? count], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return JSON.parse(child.stdout)
  })
  console.table(rows)
}
