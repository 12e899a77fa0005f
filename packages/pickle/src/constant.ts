/**
 * Whether a function need not be encoded a second time.
 *
 * @module
 */
import { functionSender } from './functions/on-demand.js'
import { Unsendable } from './functions/unsendable-error.js'

/**
 * Tells whether a function is sent as the same bytes each time: it goes by reference, or captures nothing that can change.
 */
export function isConstant(fn: (...args: never[]) => unknown): boolean {
  try {
    const record = functionSender().recordOf(fn)
    if (record.kind === 'code') return record.stable && Reflect.ownKeys(fn).every(isUsual)
    return record.kind === 'export' || record.kind === 'global'
  } catch (error) {
    if (error instanceof Unsendable) return false
    throw error
  }
}

/** Properties that every function has; what is beyond may change. */
function isUsual(key: string | symbol): boolean {
  return key === 'name' || key === 'length' || key === 'prototype'
}
