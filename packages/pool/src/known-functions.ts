/**
 * Functions that need not be encoded again.
 *
 * @module
 */
import { dumps } from '@mp/pickle'
import { type Likeness, constancyOf, isAlike, likenessOf } from '@mp/pickle/internal'
import { keepInFlight } from '@mp/shared-memory/internal'

type AnyFunction = (...args: never[]) => unknown

/** A function as it was encoded. */
export interface EncodedFunction {
  readonly name: string
  readonly bytes: Uint8Array
  /** Whether it refers to shared objects, which it keeps. */
  readonly hasCopies: boolean
  /** Lets go of those. */
  readonly cancel: () => void
}

/** What a function that is known was made to. */
interface Sent {
  readonly name: string
  readonly isFreed: boolean
}

/** What programs write in loops are a few functions. */
const KEPT_TEXTS = 256

/**
 * Encodes functions, and remembers what was made of them.
 *
 * A function is encoded anew each time unless it is constant: what it captures may have changed. A program that gives tasks in a
 * loop, `pool.apply((x) => x * x, [n])`, makes a function each time, and all do the same: they are known by their text, where
 * that says all, and otherwise by their place in the source, which only the inspector knows.
 */
export class KnownFunctions<S extends Sent> {
  readonly #same = new WeakMap<AnyFunction, { sent: S; isConstant: () => boolean }>()
  readonly #byText = new Map<string, S>()
  readonly #byCode = new WeakMap<object, { likeness: Likeness; sent: S }>()

  /**
   * Gives what was made of this function, or of one that does the same.
   *
   * @param make for one that is not known.
   * @throws PicklingError when it cannot be sent.
   */
  get(fn: AnyFunction, make: (encoded: EncodedFunction) => S): S {
    const same = this.#same.get(fn)
    if (same !== undefined && !same.sent.isFreed && same.isConstant()) return same.sent
    const name = nameOf(fn)
    const known = usable(name, this.#byItsText(fn))
    if (known !== undefined) return known
    const likeness = likenessOf(fn)
    const alike = likeness && usable(name, this.#byLikeness(likeness))
    if (alike !== undefined) return alike
    // Each worker decodes it: its copies arrive nowhere, and are there until it is freed.
    const { result: bytes, hasCopies, cancel } = keepInFlight(() => dumps(fn))
    const sent = make({ name, bytes, hasCopies, cancel })
    const isConstant = hasCopies ? undefined : constancyOf(fn)
    if (isConstant === undefined) return sent
    this.#same.set(fn, { sent, isConstant })
    if (likeness !== undefined) this.#byCode.set(likeness.code, { likeness, sent })
    if (likeness?.text !== undefined) this.#keepText(likeness.text, sent)
    return sent
  }

  #byItsText(fn: AnyFunction): S | undefined {
    const [length, name, ...more] = Reflect.ownKeys(fn)
    if (length !== 'length' || name !== 'name' || more.length > 0) return undefined
    return this.#byText.get(Function.prototype.toString.call(fn))
  }

  #byLikeness(likeness: Likeness): S | undefined {
    const known = this.#byCode.get(likeness.code)
    return known && isAlike(known.likeness, likeness) ? known.sent : undefined
  }

  #keepText(text: string, sent: S): void {
    this.#byText.set(text, sent)
    if (this.#byText.size > KEPT_TEXTS) {
      this.#byText.delete(this.#byText.keys().next().value as string)
    }
  }
}

function usable<S extends Sent>(name: string, sent: S | undefined): S | undefined {
  return sent !== undefined && !sent.isFreed && sent.name === name ? sent : undefined
}

/** A class may have a static member of that name, and a function a getter. */
function nameOf(fn: AnyFunction): string {
  const name: unknown = Object.getOwnPropertyDescriptor(fn, 'name')?.value
  return typeof name === 'string' ? name : ''
}
