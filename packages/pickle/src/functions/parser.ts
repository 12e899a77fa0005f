/**
 * The JavaScript parser, loaded when the first function is sent by value.
 *
 * @module
 */
import { createRequire } from 'node:module'
import type * as Acorn from 'acorn'

const require = createRequire(import.meta.url)

let acorn: typeof Acorn | undefined

/** Acorn's CommonJS build: it can be loaded at once, and only when it is needed. */
export function parser(): typeof Acorn {
  acorn ??= require('acorn') as typeof Acorn
  return acorn
}
