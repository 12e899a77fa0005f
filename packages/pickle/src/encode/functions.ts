/**
 * Functions and classes to bytes: by name, by export, as a method of its class, or as code.
 *
 * @module
 */
import { reduceSymbol } from '../hooks.js'
import type { Code } from '../functions/code.js'
import type { Extras } from '../functions/extras.js'
import { isClass } from '../functions/source.js'
import { Cell, identityOf } from '../functions/registry.js'
import type {
  Callable,
  Capture,
  CodeRecord,
  FunctionRecord,
  MethodRecord,
} from '../functions/records.js'
import { Unsendable } from '../functions/unsendable-error.js'
import { types } from 'node:util'
import * as tag from '../tags.js'
import { writeMade, writeReduced } from './hooks.js'
import { writeGlobal } from './instances.js'
import { cellOf, writeCell } from './cells.js'
import { functionSender } from '../functions/on-demand.js'
import { Output } from './output.js'
import { writeString } from './strings.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

/** Writes a function or class, or the number it has when it is in the message already. */
export function writeFunction(w: Writer, fn: Callable): void {
  const number = w.numberOf(fn)
  if (number >= 0) {
    w.out.byte(tag.REF)
    return w.out.varint(number)
  }
  if (w.dataOnly) w.requireTrust(isClass(fn) ? 'a class' : 'a function')
  if (types.isProxy(fn)) throw w.refuse('is a Proxy; send what it stands for')
  if (Object.hasOwn(fn, reduceSymbol)) return writeReduced(w, fn)
  const record = lookAt(w, fn)
  switch (record.kind) {
    case 'global':
      return writeGlobal(w, fn, record.path)
    case 'export':
      w.register(fn)
      w.out.byte(tag.EXPORT)
      w.out.varint(w.needModule(record.specifier, '', record.from))
      return writePath(w, record.path)
    case 'method':
      return writeMethod(w, fn, record)
    case 'made':
      return writeMade(w, fn, record.maker, record.args)
    case 'code':
      return writeCode(w, fn, record)
  }
}

function lookAt(w: Writer, fn: Callable): FunctionRecord {
  try {
    return functionSender().recordToWrite(fn)
  } catch (error) {
    if (error instanceof Unsendable) throw w.refuse(error.reason, error.cause)
    throw error
  }
}

function writePath(w: Writer, path: readonly string[]): void {
  w.out.varint(path.length)
  for (const name of path) writeString(w.out, name)
}

function writeMethod(w: Writer, fn: Callable, { owner, isStatic, key, part }: MethodRecord): void {
  const start = w.out.position
  w.out.byte(tag.METHOD)
  const depth = w.enter()
  w.path[depth] = { kind: 'class', name: owner.name }
  writeValue(w, owner)
  w.depth = depth
  if (w.numberOf(fn) >= 0) {
    w.out.bytes[start] = tag.COMMA
    return writeFunction(w, fn)
  }
  w.register(fn)
  w.out.byte((isStatic ? 1 : 0) + 2 * ['value', 'get', 'set'].indexOf(part))
  writeValue(w, key)
}

/** Functions that instances have been sent of. */
const constructors: WeakSet<Callable> = new WeakSet()

/** A class as it was written before there was `class`. */
function isConstructor(fn: Callable, { parent, prototype }: Extras): boolean {
  return prototype.length > 0 || parent !== undefined || constructors.has(fn)
}

/** Writes the class of an instance. */
export function writeConstructor(w: Writer, fn: Callable): void {
  if (w.numberOf(fn) < 0) constructors.add(fn)
  writeFunction(w, fn)
}

/** Writes code, captured values, and what the function has beyond them. */
function writeCode(w: Writer, fn: Callable, record: CodeRecord): void {
  const { out } = w
  const { code, layout } = record
  const captures = record.captures()
  const start = out.position
  out.byte(tag.FUNCTION)
  writeCodeNumber(w, code)
  // A class stays one class, and so does a function to which nothing can happen.
  const extras = functionSender().extrasOf(fn, record)
  const lasting = code.isClass || isConstructor(fn, extras) || record.stable
  writeString(out, lasting ? identityOf(fn) : '')
  const depth = w.enter()
  const { ofCode } = w
  w.ofCode = true
  let next = 0
  if (layout?.base !== undefined) {
    w.path[depth] = { kind: 'base class', name: layout.base?.name ?? 'null' }
    writeValue(w, layout.base)
    next = 1
  }
  const eager = code.eager.length - next
  for (let i = 0; i < eager; i++) writeCapture(w, depth, fn, captures[i])
  if (w.numberOf(fn) >= 0) {
    out.bytes[start] = tag.FUNCTION_SEEN
    w.depth = depth
    w.ofCode = ofCode
    return writeFunction(w, fn)
  }
  w.register(fn)
  for (let i = eager; i < captures.length; i++) writeCapture(w, depth, fn, captures[i])
  writeExtras(w, depth, extras)
  w.depth = depth
  w.ofCode = ofCode
}

function writeCapture(w: Writer, depth: number, fn: Callable, capture: Capture): void {
  if (capture.kind === 'import') {
    const { source, parent } = capture
    w.out.byte(tag.IMPORT)
    w.out.varint(w.needModule(source.specifier, parent, source.kind))
    return writePath(w, source.path)
  }
  w.path[depth] = { kind: 'captured variable', name: capture.variable, isValue: true }
  if (capture.kind === 'cell') return writeCell(w, cellOf(w, fn, capture))
  if (capture.value instanceof Cell) return writeCell(w, capture.value)
  writeValue(w, capture.value)
}

/** Writes a code's number, and the code itself the first time. */
function writeCodeNumber(w: Writer, code: Code): void {
  const { out } = w
  const known = w.codes.get(code)
  if (known !== undefined) return out.varint(known)
  out.varint(w.codes.size)
  w.codes.set(code, w.codes.size)
  let definition = definitions.get(code)
  if (definition === undefined) {
    definition = defineCode(code)
    definitions.set(code, definition)
  }
  out.raw(definition)
}

const definitions: WeakMap<Code, Uint8Array> = new WeakMap()

function defineCode(code: Code): Uint8Array {
  const out = new Output()
  writeString(out, code.hash)
  // Its length lets a receiver that has this code skip it.
  const start = out.position
  out.uint32(0)
  writeString(out, JSON.stringify(code))
  out.uint32At(start, out.position - start - 4)
  return out.bytes.slice(0, out.position)
}

function writeExtras(w: Writer, depth: number, extras: Extras): void {
  const { out } = w
  writeValue(w, extras.name)
  w.path[depth] = { kind: 'prototype', name: '' }
  writeValue(w, extras.parent)
  for (const [kind, members] of [
    ['property', extras.own],
    ['prototype property', extras.prototype],
  ] as const) {
    out.varint(members.length)
    for (const { key, descriptor } of members) {
      w.path[depth] = { kind, name: String(key), isValue: true }
      writeValue(w, key)
      if ('value' in descriptor) {
        out.byte(0)
        writeValue(w, descriptor.value)
      } else {
        out.byte(1)
        writeValue(w, descriptor.get)
        writeValue(w, descriptor.set)
      }
    }
  }
}
