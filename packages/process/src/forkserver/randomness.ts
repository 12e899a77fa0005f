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
import type * as Crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** How many Node has in stock; see `lib/internal/crypto/random.js`. */
const UUIDS = 128

/** What has a copy of its own draw from the stock of `randomUUID`. */
interface Drawing {
  readonly owner: object
  readonly name: string
  readonly original: PropertyDescriptor
}

/** What a copy needs to draw numbers of its own; see `seed.ts`. */
export interface Guarded {
  /** The real one. */
  readonly random: () => number
  /** The real one, if there is a stock of what it draws. */
  readonly randomInt: ((max: number) => number) | undefined
  /** Another number for each server. */
  readonly base: number
  /** Where modules have kept the one that they got, it is the real one from now on. */
  end(): void
}

/** Begins to keep the server's randomness apart; returns what ends that. */
export function guardRandomness(): () => Guarded {
  // Only servers need it, and Node takes 2 ms to load it.
  const crypto = process.getBuiltinModule('node:crypto')
  const { random } = Math
  const { randomBytes, randomInt } = crypto
  let isServer = true
  let drewInteger = false
  Math.random = () => (isServer ? randomBytes(4).readUInt32LE() / 2 ** 32 : random())
  crypto.randomInt = ((...args: Parameters<typeof randomInt>) => {
    drewInteger = true
    return randomInt(...args)
  }) as typeof randomInt
  const useUpUuids = countUuids(crypto)
  syncBuiltinESMExports()
  return () => {
    useUpUuids()
    const base = randomBytes(4).readUInt32LE()
    Math.random = random
    crypto.randomInt = randomInt
    syncBuiltinESMExports()
    return {
      random,
      randomInt: drewInteger ? randomInt : undefined,
      base,
      end() {
        isServer = false
      },
    }
  }
}

/** Counts what is drawn from the stock of `randomUUID`; returns what uses up the rest of it. */
function countUuids(crypto: typeof Crypto): () => void {
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
