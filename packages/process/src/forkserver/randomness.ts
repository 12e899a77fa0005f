/**
 * Sees to it that children draw different random numbers.
 *
 * V8 seeds `Math.random` when it is first called, so the server must not call the real one: modules
 * that draw numbers while they are loaded get others. Node keeps random bytes in stock for
 * `randomUUID` and `randomInt`; a copy uses up what it has in common with its siblings. OpenSSL sees
 * for itself that it has been copied.
 *
 * @module
 */
import crypto, { randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { setFlagsFromString } from 'node:v8'

/** How many Node has in stock; see `lib/internal/crypto/random.js`. */
const UUIDS = 128
const INTEGERS = 1024

/** Begins to keep the server's randomness apart; returns what a copy calls. */
export function guardRandomness(): () => void {
  const { random } = Math
  const { randomInt } = crypto
  let isServer = true
  let drewInteger = false
  Math.random = () => (isServer ? randomBytes(4).readUInt32LE() / 2 ** 32 : random())
  crypto.randomInt = ((...args: Parameters<typeof randomInt>) => {
    drewInteger = true
    return randomInt(...args)
  }) as typeof randomInt
  syncBuiltinESMExports()
  return () => {
    isServer = false
    Math.random = random
    crypto.randomInt = randomInt
    syncBuiltinESMExports()
    seed(random)
    for (let i = 0; i < UUIDS; i++) crypto.randomUUID()
    if (drewInteger) for (let i = 0; i < INTEGERS; i++) randomInt(2)
  }
}

/** Seeds the real one, by its first call; threads and contexts that come later seed themselves. */
function seed(random: () => number): void {
  setFlagsFromString(`--random-seed=${1 + (crypto.randomBytes(4).readUInt32LE() % 0x7ffffffe)}`)
  random()
  setFlagsFromString('--random-seed=0')
}
