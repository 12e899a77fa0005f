/**
 * The JavaScript parser, loaded when the first function is sent by value.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'
import type * as Acorn from 'acorn'

/** Runs a script as it was compiled for another process: there when this is a part of `code.cjs`. */
declare const mpRunKept:
  | ((name: string, filename: string, bytes: Buffer, text: string) => unknown)
  | undefined

let acorn: typeof Acorn | undefined

/**
 * Acorn's CommonJS build: it can be loaded at once, and only when it is needed.
 *
 * Not by `require`, which lets a TypeScript loader compile it; and to compile it, and what a first function uses of it, is
 * half of what a first function takes.
 */
export function parser(): typeof Acorn {
  return (acorn ??= load())
}

type Code = (exports: object, module: object) => void

function load(): typeof Acorn {
  const filename = createRequire(import.meta.url).resolve('acorn')
  const bytes = readFileSync(filename)
  const text = `(function (exports, module) {${bytes.toString()}\n})\n`
  const code =
    typeof mpRunKept === 'function'
      ? mpRunKept(`acorn-${versionOf(filename)}`, filename, bytes, text)
      : new Script(text, { filename }).runInThisContext()
  const module = { exports: {} }
  ;(code as Code)(module.exports, module)
  return module.exports as typeof Acorn
}

function versionOf(filename: string): string {
  const about = readFileSync(join(dirname(dirname(filename)), 'package.json'), 'utf8')
  return (JSON.parse(about) as { version: string }).version
}
