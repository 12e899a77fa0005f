/**
 * Sees to it that children draw different random numbers.
 *
 * V8 seeds `Math.random` when it is first called, so the server must not call the real one: modules
 * that draw numbers while they are loaded get others. Node keeps random bytes in stock for `randomUUID` and
 * `randomInt`. Of the former the server counts what is drawn, and uses up the rest, so that a copy begins with
 * a new stock; of the latter a copy does, if there is any. OpenSSL sees for itself that it has been copied.
 *
 * @module
 */
import crypto, { randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { setFlagsFromString } from 'node:v8'

/** How many Node has in stock; see `lib/internal/crypto/random.js`. */
const UUIDS = 128
const INTEGERS = 1024

/** What has a copy of its own draw from the stock of `randomUUID`. */
interface Drawing {
  readonly owner: object
  readonly name: string
  readonly original: PropertyDescriptor
}

/** Begins to keep the server's randomness apart; returns what ends that, and returns in turn what a copy calls, with flags for the engine. */
export function guardRandomness(): () => (flags: string) => void {
  const { random } = Math
  const { randomInt } = crypto
  let isServer = true
  let drewInteger = false
  Math.random = () => (isServer ? randomBytes(4).readUInt32LE() / 2 ** 32 : random())
  crypto.randomInt = ((...args: Parameters<typeof randomInt>) => {
    drewInteger = true
    return randomInt(...args)
  }) as typeof randomInt
  const useUpUuids = countUuids()
  syncBuiltinESMExports()
  return () => {
    useUpUuids()
    const base = randomBytes(4).readUInt32LE()
    Math.random = random
    crypto.randomInt = randomInt
    syncBuiltinESMExports()
    return (flags) => {
      isServer = false
      seed(random, base, flags)
      if (drewInteger) for (let i = 0; i < INTEGERS; i++) randomInt(2)
    }
  }
}

/** Counts what is drawn from the stock of `randomUUID`; returns what uses up the rest of it. */
function countUuids(): () => void {
  const { randomUUID } = crypto
  let drawn = 0
  const count = (original: (...args: unknown[]) => unknown) =>
    function (this: unknown, ...args: unknown[]): unknown {
      // An option keeps it from the stock; a call too many is counted when that has a getter that throws.
      if (Object(args[0])['disableEntropyCache'] !== true) drawn++
      return Reflect.apply(original, this, args)
    }
  const drawings = [
    drawingOf(crypto, 'randomUUID'),
    drawingOf(Object.getPrototypeOf(crypto.webcrypto) as object, 'randomUUID'),
    // It names what it makes by one.
    drawingOf(URL, 'createObjectURL'),
  ]
  for (const { owner, name, original } of drawings) {
    const value = count(original.value as (...args: unknown[]) => unknown)
    Object.defineProperty(owner, name, { ...original, value })
  }
  return () => {
    for (const { owner, name, original } of drawings) Object.defineProperty(owner, name, original)
    while (drawn++ % UUIDS !== 0) randomUUID()
  }
}

function drawingOf(owner: object, name: string): Drawing {
  return {
    owner,
    name,
    original: Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor,
  }
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
