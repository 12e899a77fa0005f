/**
 * Questions to a function's source text.
 *
 * @module
 */

type Callable = (...args: never[]) => unknown

const { toString } = Function.prototype

/** True for `class` definitions, which must be called with `new`. */
export function isClass(fn: Callable): boolean {
  return /^class\b/.test(toString.call(fn)) || isNativeClass(fn)
}

function isNativeClass(fn: Callable): boolean {
  return isNative(fn) && Object.getOwnPropertyDescriptor(fn, 'prototype')?.writable === false
}

/** @returns where a line begins, counted from 0. */
export function offsetAt(source: string, line: number): number {
  let start = 0
  for (let n = 0; n < line; n++) start = source.indexOf('\n', start) + 1
  return start
}

/** True for functions without a source: native and bound ones. */
export function isNative(fn: Callable): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(toString.call(fn))
}
