/**
 * Builtins as the code in a bundle sees them.
 *
 * @module
 */
import type { Globals } from './bundle.js'
import { OP, type Op } from './state.js'

/** Nothing is collected while the explorer runs. */
export class NoRegistry {
  register(): void {}
  unregister(): void {}
}

export class StrongRef {
  readonly #target: unknown

  constructor(target: unknown) {
    this.#target = target
  }

  deref(): unknown {
    return this.#target
  }
}

const ATOMICS = ['load', 'store', 'add', 'sub', 'and', 'or', 'exchange', 'compareExchange'] as const

/** Where the first word of some memory lies in the explored world; left out: it is the control region. */
export const ORIGIN = 'origin'

/** `Atomics` whose operations are requests. */
export function makeAtomics(
  request: (op: Op, at: number, a: number, b: number) => number,
): Globals['Atomics'] {
  type Memory = { readonly [ORIGIN]?: number }
  type Atomic = (words: Memory, at: number, a?: number, b?: number) => number
  const atomic =
    (op: Op): Atomic =>
    (words, at, a = 0, b = 0) =>
      request(op, (words[ORIGIN] ?? 0) + at, a, b)
  const all = Object.fromEntries(ATOMICS.map((name) => [name, atomic(OP[name])]))
  return all as unknown as Globals['Atomics']
}

/** Bytes of the explored world that stand for a buffer: a view of them is they themselves. The bundle has a copy of this. */
export const BYTES: unique symbol = Symbol.for('mp-explorer/bytes') as never

/** `Uint8Array`, which also makes views of what stands for a buffer. */
export function makeUint8Array(): Uint8ArrayConstructor {
  return new Proxy(Uint8Array, {
    construct: (target, given: unknown[], type) =>
      ((given[0] as { readonly [BYTES]?: object } | undefined)?.[BYTES] ??
        Reflect.construct(target, given, type)) as object,
  })
}
