/**
 * Counts the primes up to a limit by the sieve of Eratosthenes, over one array that all workers share.
 *
 *     npx tsx sieve.ts [limit]
 *
 * Each worker crosses out multiples in its own part, so no lock is needed; nothing is copied but two numbers a task.
 */
import { Pool, SharedArray } from '@mp/multiprocessing'

const limit = Number(process.argv[2] ?? 10_000_000)
const PART = 1 << 18 // fits into a cache

/** The primes up to the square root of the limit: what the parts are sieved by. */
function smallPrimes(to: number): number[] {
  const isComposite = new Uint8Array(to + 1)
  const primes: number[] = []
  for (let n = 2; n <= to; n++) {
    if (isComposite[n] === 1) continue
    primes.push(n)
    for (let multiple = n * n; multiple <= to; multiple += n) isComposite[multiple] = 1
  }
  return primes
}

const primes = smallPrimes(Math.floor(Math.sqrt(limit)))
const composite = new SharedArray(Uint8Array, limit + 1)

/** Sieves `from` up to, not including, `to`; gives how many primes are left. */
function sieve(from: number, to: number): number {
  const { array } = composite
  for (const prime of primes) {
    const first = Math.max(prime * prime, Math.ceil(from / prime) * prime)
    for (let multiple = first; multiple < to; multiple += prime) array[multiple] = 1
  }
  let count = 0
  for (let n = Math.max(from, 2); n < to; n++) count += 1 - array[n]
  return count
}

const parts: [number, number][] = []
for (let from = 0; from <= limit; from += PART) parts.push([from, Math.min(from + PART, limit + 1)])

await using pool = new Pool()
const counts = await pool.starmap(sieve, parts)
console.log(`${counts.reduce((a, b) => a + b)} primes up to ${limit}`)

let last = limit
while (composite.array[last] === 1) last-- // what the workers wrote is here
console.log(`the last is ${last}`)
