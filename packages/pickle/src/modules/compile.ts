/**
 * Compiling a source under the name of a file, without the file.
 *
 * `Module.prototype._compile` is undocumented, has been there for as long as `require`, and takes
 * a format since `require(esm)` exists. It does three things that no documented function does on
 * Node 20: it gets the namespace of an ES module that is already loaded (`loaded.ts`), imports
 * relative to a file that is not loaded here, and resolves relative to it (`stand-ins.ts`).
 *
 * @module
 */
import { Module } from 'node:module'

type Compilable = Module & {
  filename: string
  paths: string[]
  _compile(source: string, filename: string, format?: string): void
}

/** Compiles a source under a file's name, without the file. @returns its exports or namespace. */
export function compile(source: string, filename: string, format: 'module' | 'commonjs'): unknown {
  const module = new Module(filename) as Compilable
  module.filename = filename
  module.paths = []
  module._compile(source, filename, format)
  return module.exports as unknown
}
