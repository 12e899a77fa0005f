/**
 * Gives a copy of a fork server random numbers of its own: see `randomness.ts`.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'
import type { Guarded } from './randomness.js'

/** How many Node has in stock; see `lib/internal/crypto/random.js`. */
const INTEGERS = 1024

/** Called in a copy, with flags for the engine. */
export function renewRandomness({ random, randomInt, base, end }: Guarded, flags: string): void {
  end()
  seed(random, base, flags)
  if (randomInt !== undefined) for (let i = 0; i < INTEGERS; i++) randomInt(2)
}

/**
 * Seeds the real one, by its first call; threads and contexts that come later seed themselves.
 *
 * Flags go together: whatever they are, setting some takes 20 µs. By what no two copies have in common, their pids and the time: to ask OpenSSL here would cost each of them 80 pages.
 */
function seed(random: () => number, base: number, flags: string): void {
  const own =
    Math.imul(base ^ process.pid, 0x9e3779b1) ^ Number(process.hrtime.bigint() & 0x7fffffffn)
  setFlagsFromString(`${flags} --random-seed=${1 + ((own >>> 0) % 0x7ffffffe)}`)
  random()
  setFlagsFromString('--random-seed=0')
}
