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

/** `Atomics` whose operations are requests; whatever they are given as memory is the control region. */
export function makeAtomics(
  request: (op: Op, at: number, a: number, b: number) => number,
): Globals['Atomics'] {
  type Atomic = (words: unknown, at: number, a?: number, b?: number) => number
  const atomic =
    (op: Op): Atomic =>
    (_words, at, a = 0, b = 0) =>
      request(op, at, a, b)
  const all = Object.fromEntries(ATOMICS.map((name) => [name, atomic(OP[name])]))
  return all as unknown as Globals['Atomics']
}
