/**
 * The JavaScript parser, loaded when the first function is sent by value.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { compileFunction } from 'node:vm'
import type * as Acorn from 'acorn'

let acorn: typeof Acorn | undefined

/**
 * Acorn's CommonJS build: it can be loaded at once, and only when it is needed.
 *
 * Not by `require`, which lets a TypeScript loader compile it: a fifth of what a first function takes.
 */
export function parser(): typeof Acorn {
  return (acorn ??= load())
}

function load(): typeof Acorn {
  const require = createRequire(import.meta.url)
  const filename = require.resolve('acorn')
  const source = readFileSync(filename, 'utf8')
  const module = { exports: {} }
  const names = ['exports', 'module', 'require']
  compileFunction(source, names, { filename })(module.exports, module, require)
  return module.exports as typeof Acorn
}
