/**
 * `#private` elements as compilers write them for older targets: in a WeakMap beside the class.
 *
 *     var _x
 *     class A { constructor() { __privateAdd(this, _x, 1) } }
 *     _x = new WeakMap()
 *
 * Such a map belongs to its class, which goes with an empty one, as it began; what it has of the
 * class itself, its static elements, goes too. What it has of instances cannot be told from
 * outside, so they are refused, as those with `#private` elements are.
 *
 * @module
 */
import { types } from 'node:util'
import { reduceSymbol, type Reduced } from '../hooks.js'
import type { FreeVariable } from './free-variables.js'
import { inspect, readVariable, type CapturedScope } from './inspector.js'
import { InspectorUnavailableError } from './inspector-session.js'
import type { Callable } from './records.js'

export type Store = WeakMap<WeakKey, unknown> | WeakSet<WeakKey>

/** Helpers of esbuild, TypeScript, Babel and SWC, which bundlers do not rename unless they minify. */
const HELPERS = /\b(?:__private[A-Z]\w+|__classPrivateField\w+|_class_?[pP]rivate\w+)\b/

/** What goes in place of such a map. */
class StandIn {
  readonly #store: Store
  readonly #owner: WeakKey | undefined

  /** @param owner the class, if it has static elements there. */
  constructor(store: Store, owner: WeakKey | undefined) {
    this.#store = store
    this.#owner = owner
  }

  [reduceSymbol](): Reduced {
    const revive = types.isWeakMap(this.#store) ? WeakMap : WeakSet
    return { revive: revive as never, args: entriesOf(this.#store, this.#owner) }
  }
}

const standIns: WeakMap<Store, StandIn> = new WeakMap()

/** @returns what goes in place of such a map, when a class, or a private method of it, captured one. */
export function storeStandIn(
  text: string,
  { blank }: FreeVariable,
  value: unknown,
  scopes: readonly CapturedScope[],
): object | undefined {
  // Maps that a program makes for itself have a `const`, and are refused with the way out.
  if (!blank || !isStore(value)) return undefined
  if (!text.startsWith('class') && !HELPERS.test(text)) return undefined
  let standIn = standIns.get(value)
  if (standIn === undefined) {
    standIn = new StandIn(
      value,
      scopes.flatMap(valuesOf).find((other) => isIn(value, other)),
    )
    standIns.set(value, standIn)
  }
  return standIn
}

/** True for the class, which stands beside the map, as all that it has. */
function isIn(store: Store, value: unknown): value is Callable {
  return typeof value === 'function' && store.has(value)
}

/** The argument of `new WeakMap()` and `new WeakSet()`. */
function entriesOf(store: Store, owner: WeakKey | undefined): unknown[] {
  if (owner === undefined || !store.has(owner)) return []
  return [[types.isWeakMap(store) ? [owner, store.get(owner)] : owner]]
}

function isStore(value: unknown): value is Store {
  return types.isWeakMap(value) || types.isWeakSet(value)
}

/** @returns the maps beside a class, of which those that have an instance have elements of it that cannot be seen. */
export function storesOf(constructor: Callable): Store[] {
  if (!HELPERS.test(Function.prototype.toString.call(constructor))) return []
  try {
    const values = inspect(constructor, (inspection) => inspection.scopes().flatMap(valuesOf))
    return values.filter(isStore)
  } catch (error) {
    // Without one nothing can be known of them.
    if (error instanceof InspectorUnavailableError) return []
    throw error
  }
}

function valuesOf(scope: CapturedScope): unknown[] {
  return Object.getOwnPropertyNames(scope.variables).map((name) => {
    const found = readVariable([scope], name)
    return typeof found === 'object' ? found.value : undefined
  })
}
