/**
 * Counts the words of all texts below a folder: each worker counts its files, then the counts are added up.
 *
 *     npx tsx words.ts [folder [suffix]]
 *
 * A `Map` is a result like any other.
 */
import { Pool } from '@mp/multiprocessing'
import { readFile } from 'node:fs/promises'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder = fileURLToPath(new URL('../docs', import.meta.url)), suffix = '.md'] =
  process.argv.slice(2)

async function countWords(path: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  const text = await readFile(path, 'utf8')
  for (const [word] of text.toLowerCase().matchAll(/\p{L}+/gu)) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
  }
  return counts
}

const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith(suffix))
  .map((path) => join(folder, path))

const totals = new Map<string, number>()
await using pool = new Pool()
for await (const counts of pool.imapUnordered(countWords, paths)) {
  for (const [word, count] of counts) totals.set(word, (totals.get(word) ?? 0) + count)
}
const top = [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 5)
console.log(`${paths.length} files, ${totals.size} different words`)
for (const [word, count] of top) console.log(`${word}: ${count}`)
