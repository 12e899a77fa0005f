/**
 * Bytes to functions, classes, and what they refer to.
 *
 * @module
 */
import { UnpicklingError } from '../errors.js'
import { intrinsicAt } from '../functions/intrinsics.js'
import type { Code } from '../functions/code.js'
import {
  Cell,
  functionOf,
  identify,
  keepCode,
  receivedCode,
  type ReceivedCode,
} from '../functions/registry.js'
import { evaluate } from '../functions/revive.js'
import { loadNow } from '../modules/load.js'
import type { Reader } from './reader.js'
import { readString } from './strings.js'
import { readValue } from './value.js'

type Callable = (...args: never[]) => unknown

function readPath(r: Reader): string[] {
  return Array.from({ length: r.count() }, () => readString(r))
}

export function readGlobal(r: Reader): unknown {
  r.requireTrust('a function')
  const path = readPath(r)
  const value = intrinsicAt(path)
  if (value === undefined) {
    throw new UnpicklingError(`This Node has no ${path.join('.')}`)
  }
  r.objects.push(value)
  return value
}

/** Gets an export of a module that the message names; imports it if need be. */
export function moduleExport(r: Reader, index: number, path: readonly string[]): unknown {
  const module = r.modules[index]
  if (module === undefined) throw r.malformed('it refers to a module that is not there')
  let value = r.loaded[index] ?? loadNow(module)
  for (const name of path) {
    if (value === null || value === undefined || !(name in Object(value))) {
      throw new UnpicklingError(`${module.specifier} has no export ${path.join('.')}`)
    }
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

export function readExport(r: Reader): unknown {
  r.requireTrust('a function')
  const index = r.varint()
  const value = moduleExport(r, index, readPath(r))
  r.objects.push(value)
  return value
}

/** An imported binding: any value, which has no number of its own. */
export function readImport(r: Reader): unknown {
  r.requireTrust('an import')
  const index = r.varint()
  return moduleExport(r, index, readPath(r))
}

export function readMethod(r: Reader): unknown {
  r.requireTrust('a function')
  const owner = readValue(r)
  if (typeof owner !== 'function') throw r.malformed('a class was expected')
  const number = r.objects.push(undefined) - 1
  const flags = r.byte()
  const part = (['value', 'get', 'set'] as const)[flags >> 1]
  const key = readValue(r) as string | symbol
  const holder = (flags & 1) === 1 ? owner : (owner.prototype as object)
  const method: unknown = part && Object.getOwnPropertyDescriptor(holder, key)?.[part]
  if (method === undefined) {
    throw new UnpicklingError(`Class ${owner.name} has no ${String(key)} here`)
  }
  r.objects[number] = method
  return method
}

export function readPrototype(r: Reader): unknown {
  r.requireTrust('a function')
  const owner = readValue(r)
  if (typeof owner !== 'function') throw r.malformed('a class was expected')
  r.objects.push(owner.prototype)
  return owner.prototype as unknown
}

export function readCell(r: Reader): Cell {
  r.requireTrust('a captured variable')
  const cell = new Cell(undefined)
  r.objects.push(cell)
  cell.value = readValue(r)
  return cell
}

export function readFunction(r: Reader): Callable {
  r.requireTrust('a function')
  const received = readCode(r)
  const { code } = received
  const identity = readString(r)
  const eager = code.eager.map(() => readValue(r))
  const number = r.objects.push(undefined) - 1
  const known = identity === '' ? undefined : functionOf(identity)
  const [fn, set] = known ? [known, undefined] : evaluate(received, eager)
  if (known === undefined && identity !== '') identify(fn, identity)
  r.objects[number] = fn
  const values = code.lazy.map(() => readValue(r))
  set?.(values)
  readExtras(r, fn, known === undefined)
  return fn
}

/** A function whose eager values led to it: it has been read with them. */
export function readSeenFunction(r: Reader): unknown {
  r.requireTrust('a function')
  const { code } = readCode(r)
  readString(r)
  for (let i = 0; i < code.eager.length; i++) readValue(r)
  return readValue(r)
}

function readCode(r: Reader): ReceivedCode {
  const number = r.varint()
  const known = r.codes[number] as ReceivedCode | undefined
  if (known !== undefined) return known
  if (number !== r.codes.length) throw r.malformed('it refers to code that is not there')
  const hash = readString(r)
  const length = r.uint32()
  let received = receivedCode(hash)
  if (received !== undefined) {
    r.skip(length)
  } else {
    received = keepCode(JSON.parse(readString(r)) as Code)
  }
  r.codes.push(received)
  return received
}

/** Reads what a function has beyond its source, and gives it that unless it has it already. */
function readExtras(r: Reader, fn: Callable, apply: boolean): void {
  const name = readValue(r)
  const parent = readValue(r)
  if (apply && typeof name === 'string') {
    Object.defineProperty(fn, 'name', { value: name, configurable: true })
  }
  if (apply && typeof parent === 'function') {
    Object.setPrototypeOf(fn.prototype as object, parent.prototype as object)
  }
  readMembers(r, apply ? fn : {})
  readMembers(r, apply ? ((fn.prototype as object | undefined) ?? {}) : {})
}

function readMembers(r: Reader, holder: object): void {
  const count = r.count()
  for (let i = 0; i < count; i++) {
    const key = readValue(r) as string | symbol
    const content =
      r.byte() === 0
        ? { value: readValue(r), writable: true }
        : { get: readAccessor(r), set: readAccessor(r) }
    Object.defineProperty(holder, key, { ...content, enumerable: true, configurable: true })
  }
}

function readAccessor(r: Reader): (() => unknown) | undefined {
  const value = readValue(r)
  if (value !== undefined && typeof value !== 'function')
    throw r.malformed('an accessor was expected')
  return value as (() => unknown) | undefined
}
