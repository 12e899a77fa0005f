/**
 * An object whose every use holds a lock: Python's `multiprocessing.sharedctypes.synchronized`.
 *
 * The result stands in for the object: it has the same prototype, and forwards
 * each of its properties to it, under the lock. It travels as the object and the lock.
 *
 * @module
 */
import { type Reduced, reduceSymbol, wrongType } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { RLock } from './rlock.js'

/**
 * Wraps a shared object so that each access, and each call of a method, holds `lock`.
 *
 * To do several things in one go, hold the lock around them: it is re-entrant. An access waits
 * (blocking the thread) while another process holds it. What a property gives is not wrapped in
 * turn: elements of a `SharedArray`'s `array` are not accessed under the lock.
 *
 * @param shared a handle; its own and inherited properties are looked at once, now.
 * @param lock left out: a new one.
 * @example
 * const counter = synchronized(new SharedValue('i32'))
 * {
 *   using guard = await counter.lock.acquire()
 *   counter.value = compute(counter.value)
 * }
 */
export function synchronized<T>(shared: T, lock: RLock = new RLock()): T & { lock: RLock } {
  if (typeof shared !== 'object' || shared === null) throw wrongType('shared', 'an object', shared)
  if (!(lock instanceof RLock)) throw wrongType('lock', 'an RLock', lock)
  const wrapper = Object.create(Object.getPrototypeOf(shared) as object | null) as object
  for (const key of keysOf(shared)) forward(wrapper, shared, key, lock)
  const reduce = (): Reduced => ({
    module: ORIGIN,
    name: 'synchronized',
    args: [shared, lock],
  })
  Object.defineProperty(wrapper, 'lock', { value: lock, enumerable: true })
  Object.defineProperty(wrapper, reduceSymbol, { value: reduce })
  return wrapper as T & { lock: RLock }
}

function keysOf(shared: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>()
  for (
    let owner: object | null = shared;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    for (const key of Reflect.ownKeys(owner)) keys.add(key)
  }
  keys.delete('constructor')
  return keys
}

function forward(wrapper: object, shared: object, key: PropertyKey, lock: RLock): void {
  const holding = <R>(use: () => R): R => {
    const guard = lock.acquireSync()
    try {
      return use()
    } finally {
      guard?.release()
    }
  }
  Object.defineProperty(wrapper, key, {
    configurable: true,
    enumerable: Object.hasOwn(shared, key),
    get: (): unknown => {
      const value: unknown = holding(() => Reflect.get(shared, key))
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => holding(() => Reflect.apply(value, shared, args))
    },
    set: (value: unknown) => {
      holding(() => {
        // As an assignment in strict code.
        if (!Reflect.set(shared, key, value)) {
          throw new TypeError(`Cannot assign to read-only property \`${String(key)}\``)
        }
      })
    },
  })
}
