/**
 * The hooks by which an object says how it travels, as `__reduce__` does in Python.
 *
 * An object whose own or inherited `[reduceSymbol]()` returns a recipe is sent as that recipe; the
 * receiver imports the named module on demand and calls its export. The symbols are registered
 * ones, so a package needs no import of this one to use them.
 *
 * @module
 */

/** Key of the method that returns how an object is to be rebuilt: see {@link Reduced}. */
export const reduceSymbol: unique symbol = Symbol.for('@mp/pickle.reduce') as never

/** Key of the static method that rebuilds an object from the recipe's `args`. */
export const reviveSymbol: unique symbol = Symbol.for('@mp/pickle.revive') as never

/** Rebuilt by an export of a module: the module is imported by the receiver when needed. */
export interface ReducedByModule {
  /**
   * URL of an ES module, used as is: `import.meta.url` of the defining module, say. One that ends in `.cjs` is required, and so
   * need not be awaited.
   */
  module: string
  /** Name of its export. */
  name: string
  /** Sent along; they may not contain the object itself. */
  args: unknown[]
}

/** Rebuilt by a function or class that travels itself. */
export interface ReducedByValue {
  revive: (...args: never[]) => unknown
  /** Sent along; they may not contain the object itself. */
  args: unknown[]
}

/**
 * What `[reduceSymbol]()` returns.
 *
 * The target (the export, or `revive`) is used in this order: its static `[reviveSymbol](...args)`
 * when it has one, `new target(...args)` when it is a class, `target(...args)` otherwise.
 */
export type Reduced = ReducedByModule | ReducedByValue
