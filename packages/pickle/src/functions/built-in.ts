/**
 * What functions have by themselves.
 *
 * @module
 */

/** Names of their properties; the last two are those of code that is not strict. */
export const BUILT_IN: ReadonlySet<string | symbol> = new Set([
  'length',
  'name',
  'prototype',
  'arguments',
  'caller',
])
