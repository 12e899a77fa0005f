/**
 * Values, functions, classes and errors to bytes and back.
 *
 * - **Values** have structured-clone fidelity. A view sends only the part of its buffer that the
 *   message's views cover.
 * - **Functions and classes** go by reference when a module other than the main one exports them,
 *   otherwise as source with what they capture. Captured values are copies, read at every call of
 *   `dumps`; imported ones are imported again, except shared objects (those with a hook), which
 *   stay shared. Functions of one message that use the same variable share it, when one assigns it.
 * - **What the module system gives** is had again by the receiver: namespaces, builtin modules,
 *   `require`, `import.meta`, relative to the file that the function is from.
 * - **Identity**: a class sent by value is one class in its receiver, however many messages name
 *   it, and the original again where it came from; so is a function that captures nothing that can
 *   change. The static fields that a receiver's class has stay its own after the first message.
 * - **Instances** are made without their constructor: class and own fields, also those that are not
 *   enumerable, and those with symbols as keys that another process has, too. One whose class has
 *   `#private` elements needs a {@link reduceSymbol} hook.
 * - **Static fields** travel as the values they have; one whose value cannot go is initialised anew.
 * - **Of plain objects** only what `Object.keys()` tells is sent, as in structured clone; an accessor
 *   becomes its value. Symbol keys, accessors and non-enumerable properties that were added to
 *   functions, and to their prototypes, are sent.
 *
 * @module
 */
export { Backlog, Undecoded, decodeLater, decodeOrKeep } from './backlog.js'
export { dumps, encodeInto, encodeTo, type DumpsOptions, type Sink } from './dumps.js'
export { PicklingError, UnpicklingError } from './errors.js'
export {
  reduceSymbol,
  reviveSymbol,
  type Reduced,
  type ReducedByModule,
  type ReducedByValue,
} from './hooks.js'
export { loads, loadsAsync, loadsFrom, needsModules, type LoadsOptions } from './loads.js'
