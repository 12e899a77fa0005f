/**
 * Objects with a `[reduceSymbol]` hook to bytes: the recipe travels instead of them.
 *
 * @module
 */
import { reduceSymbol, type Reduced } from '../hooks.js'
import { kindOf } from '../modules/load.js'
import * as tag from '../tags.js'
import { writeString } from './strings.js'
import { writeValue } from './value.js'
import type { Writer } from './writer.js'

/** Objects whose recipes are being written, to notice one that contains its own object. */
const open: Set<object> = new Set()

/** Writes an object's recipe, then registers the object: it exists only after its arguments. */
export function writeReduced(w: Writer, object: object): void {
  if (open.has(object)) {
    throw w.refuse('is contained in the arguments of its own [reduceSymbol]() hook')
  }
  w.requireTrust('an object with a hook')
  const reason = w.refusal?.(object)
  if (reason !== undefined) throw w.refuse(reason)
  const hook: unknown = (object as Record<symbol, unknown>)[reduceSymbol]
  if (typeof hook !== 'function') throw w.refuse('has a [reduceSymbol] that is not a function')
  open.add(object)
  try {
    writeRecipe(w, hook.call(object) as Reduced)
  } finally {
    open.delete(object)
  }
  w.register(object)
}

function writeRecipe(w: Writer, reduced: Reduced): void {
  const { out } = w
  if (!isReduced(reduced)) {
    throw w.refuse(
      'has a [reduceSymbol]() that does not return { module, name, args } or { revive, args }',
    )
  }
  if ('revive' in reduced) {
    out.byte(tag.REDUCED_BY_VALUE)
    writeValue(w, reduced.revive)
  } else {
    out.byte(tag.REDUCED)
    out.varint(w.needModule(reduced.module, '', kindOf(reduced.module)))
    writeString(out, reduced.name)
  }
  writeArguments(w, reduced.args, 'argument of its hook')
}

/** Writes an object as what a function makes of other values. */
export function writeMade(
  w: Writer,
  object: object,
  maker: (...args: never[]) => unknown,
  args: readonly unknown[],
): void {
  w.out.byte(tag.REDUCED_BY_VALUE)
  writeValue(w, maker)
  writeArguments(w, args, `argument of ${maker.name}()`)
  w.register(object)
}

function writeArguments(w: Writer, args: readonly unknown[], kind: string): void {
  w.out.varint(args.length)
  const depth = w.enter()
  for (let i = 0; i < args.length; i++) {
    w.path[depth] = { kind, name: String(i) }
    writeValue(w, args[i])
  }
  w.depth = depth
}

function isReduced(reduced: unknown): reduced is Reduced {
  if (typeof reduced !== 'object' || reduced === null || !('args' in reduced)) return false
  if (!Array.isArray(reduced.args)) return false
  if ('revive' in reduced) return typeof reduced.revive === 'function'
  const { module, name } = reduced as { module?: unknown; name?: unknown }
  return typeof module === 'string' && typeof name === 'string'
}
