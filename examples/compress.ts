/**
 * Compresses all files of a tree by gzip and brotli, as one does before serving them; one file is one task.
 *
 *     npx tsx compress.ts FOLDER TARGET
 *
 * Sizes differ much, so each worker takes one file at a time (`imapUnordered`), the largest first.
 */
import { Pool } from '@mp/multiprocessing'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const [folder, target] = process.argv.slice(2)
if (folder === undefined || target === undefined)
  throw new Error('usage: compress.ts FOLDER TARGET')

function compress(path: string): { path: string; from: number; gzip: number; brotli: number } {
  const content = readFileSync(join(folder, path))
  const gzip = gzipSync(content, { level: 9 })
  const brotli = brotliCompressSync(content) // at its best, which is its slowest
  mkdirSync(dirname(join(target, path)), { recursive: true })
  writeFileSync(join(target, `${path}.gz`), gzip)
  writeFileSync(join(target, `${path}.br`), brotli)
  return { path, from: content.length, gzip: gzip.length, brotli: brotli.length }
}

const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .map((path) => ({ path, stats: statSync(join(folder, path)) }))
  .filter(({ stats }) => stats.isFile())
  .sort((a, b) => b.stats.size - a.stats.size)

const sums = { from: 0, gzip: 0, brotli: 0 }
await using pool = new Pool()
for await (const one of pool.imapUnordered(
  compress,
  files.map(({ path }) => path),
)) {
  sums.from += one.from
  sums.gzip += one.gzip
  sums.brotli += one.brotli
}
console.log(
  `${files.length} files, ${sums.from} bytes: ${sums.gzip} by gzip, ${sums.brotli} by brotli`,
)
