/**
 * Functions and objects that every process has: ECMAScript's, the global ones, Node's modules.
 *
 * They travel as a path, such as `Math.max` or `node:fs`, `promises`, `readFile`. The index by
 * identity is built when the first candidate turns up; globals behind a getter are read only by
 * name, since reading them may load half of Node (`fetch`) or warn (`localStorage`).
 *
 * @module
 */
import { globalNames } from './global-names.js'

type Path = readonly string[]

/** Stands in a path for what `util.promisify` gives for the function before it. */
const PROMISIFIED = '@@promisify'

function customPromisified(fn: object): object | undefined {
  const key = Symbol.for('nodejs.util.promisify.custom')
  return (fn as Record<symbol, object | undefined>)[key]
}

/** Begins the path of what the language has and no global names. */
const UNNAMED = '@@'

/** What the language has and no global names. */
const unnamed: Readonly<Record<string, object>> = {
  [`${UNNAMED}AsyncFunction`]: (async () => {}).constructor,
  [`${UNNAMED}AsyncGeneratorFunction`]: async function* () {}.constructor,
  [`${UNNAMED}GeneratorFunction`]: function* () {}.constructor,
  [`${UNNAMED}TypedArray`]: Object.getPrototypeOf(Uint8Array) as object,
}

/** Globals that warn when they are read. */
const WARNING = new Set(['localStorage', 'sessionStorage'])

let index: Map<object, Path> | undefined
let lateIndex: Map<object, Path> | undefined

/** @returns where every process has this very object, or undefined. */
export function intrinsicPath(object: object): Path | undefined {
  index ??= indexGlobals()
  const known = index.get(object)
  if (known !== undefined) return known
  if (typeof object !== 'function') return undefined
  const { name } = object as { name: unknown }
  if (typeof name !== 'string' || !globalNames().has(name)) return undefined
  return (globalThis as Record<string, unknown>)[name] === object ? [name] : undefined
}

/** Finds what a global names that loads a part of Node when it is read: the last place to look. */
export function latePath(fn: object): Path | undefined {
  if (lateIndex === undefined) {
    lateIndex = new Map()
    for (const name of globalNames()) {
      if (WARNING.has(name) || !(name in globalThis)) continue
      const value: unknown = (globalThis as Record<string, unknown>)[name]
      if (isReference(value)) indexValue(lateIndex, value, [name], 2)
    }
    indexValue(lateIndex, process, ['process'], 2)
  }
  return lateIndex.get(fn)
}

/** Gets what a path names in this process; undefined when it has no such thing. */
export function intrinsicAt(path: Path): unknown {
  const [first, ...rest] = path
  if (first === undefined) return undefined
  let value: unknown = first.startsWith('node:')
    ? process.getBuiltinModule(first)
    : globalNames().has(first)
      ? (globalThis as Record<string, unknown>)[first]
      : Object.hasOwn(unnamed, first)
        ? unnamed[first]
        : undefined
  for (const name of rest) {
    if (value === null || value === undefined) return undefined
    value =
      name === PROMISIFIED ? customPromisified(value) : (value as Record<string, unknown>)[name]
  }
  return value
}

function indexGlobals(): Map<object, Path> {
  const found = new Map<object, Path>([[globalThis, ['globalThis']]])
  for (const name of globalNames()) {
    const value: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value
    if (isReference(value) && value !== globalThis) indexValue(found, value, [name], 2)
  }
  // Data behind getters that are part of the bootstrap, hence free to read.
  for (const name of ['process', 'Buffer', 'performance']) {
    const value: unknown = (globalThis as Record<string, unknown>)[name]
    if (isReference(value)) indexValue(found, value, [name], 1)
  }
  for (const [name, value] of Object.entries(unnamed)) indexValue(found, value, [name], 2)
  found.set(process.env, ['process', 'env'])
  return found
}

/** Adds a value, its functions, and those of its prototype. */
export function indexValue(
  found: Map<object, Path>,
  value: object,
  path: Path,
  depth: number,
): void {
  if (found.has(value)) return
  found.set(value, path)
  const promisified = typeof value === 'function' ? customPromisified(value) : undefined
  if (promisified !== undefined) found.set(promisified, [...path, PROMISIFIED])
  if (depth === 0) return
  for (const name of Object.getOwnPropertyNames(value)) {
    const member: unknown = Object.getOwnPropertyDescriptor(value, name)?.value
    if (typeof member === 'function' && name !== 'constructor') {
      indexValue(found, member, [...path, name], depth - 1)
    } else if (name === 'prototype' && isReference(member)) {
      indexValue(found, member, [...path, name], 1)
    }
  }
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
}
