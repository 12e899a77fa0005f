/**
 * Estimates π by throwing darts, until the estimate is good enough or the darts are used up.
 *
 *     npx tsx pi.ts [millions of darts]
 *
 * Batches come back as they are done; leaving the loop stops what has not begun.
 */
import { Pool } from '@mp/multiprocessing'

const batches = Number(process.argv[2] ?? 200)
const DARTS = 1_000_000

/** How many of a million darts hit the circle. A seed for each batch makes the whole run repeatable. */
function throwDarts(seed: number): number {
  let state = (seed * 2654435761) >>> 0 || 1
  const random = (): number => {
    // Xorshift, after Marsaglia.
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  let hits = 0
  for (let i = 0; i < DARTS; i++) {
    const [x, y] = [random(), random()]
    if (x * x + y * y < 1) hits++
  }
  return hits
}

const seeds = Array.from({ length: batches }, (_, i) => i + 1)
let hits = 0
let darts = 0
await using pool = new Pool()
for await (const batch of pool.imapUnordered(throwDarts, seeds)) {
  hits += batch
  darts += DARTS
  const p = hits / darts
  const error = 4 * Math.sqrt((p * (1 - p)) / darts) // one standard deviation
  if (error < 0.0002) break
}
console.log(`π is about ${((4 * hits) / darts).toFixed(3)}, after ${darts / DARTS} million darts`)
