/**
 * One number that processes and threads share.
 *
 * Every operation is one atomic step on the number's bits (`number-cell.ts`), so
 * no lock is needed, and an agent that dies leaves the old value or the new one.
 *
 * @module
 */
import { ORIGIN } from './origin.js'
import { wrongType } from './arguments.js'
import { OBJECT_TYPE } from './layout.js'
import { NumberCell } from './number-cell.js'
import { checkNumber, findType } from './number-types.js'
import { OWNED, OWNED_WORDS } from './shared-layout.js'
import { Attachment, type Origin, SharedObject } from './shared-object.js'

/** What a `SharedValue` can hold: integers with and without sign, floats, by their number of bits. */
export type SharedValueType =
  | 'i8'
  | 'u8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'f32'
  | 'f64'

/** What comes out: `bigint` for the 64-bit integers, `number` for all others. */
export type ValueOf<K extends SharedValueType> = K extends 'i64' | 'u64' ? bigint : number

/** What goes in: 64-bit integers may be given as (safe) numbers, too. */
export type ValueFor<K extends SharedValueType> = K extends 'i64' | 'u64' ? bigint | number : number

/**
 * A number in shared memory; Python's `multiprocessing.Value`, atomic by itself.
 *
 * It may be an argument of a process or task, an item of a queue, a message on a connection. What
 * does not fit its type throws RangeError and changes nothing. The memory is given back when no
 * process or thread uses it any more.
 *
 * @example
 * const done = new SharedValue('u32')
 * done.add(1)
 * console.log(done.value)
 */
export class SharedValue<K extends SharedValueType = SharedValueType> extends SharedObject {
  readonly type: K
  readonly #cell: NumberCell

  /**
   * Makes a value.
   *
   * @param initial what it holds at first: 0 when left out.
   * @throws TypeError or RangeError for a type that there is not, or a value that does not fit it.
   */
  constructor(type: K, initial?: ValueFor<K>)
  /** @internal */
  constructor(attachment: Attachment)
  constructor(type: K | Attachment, initial?: ValueFor<K>) {
    const attachment = type instanceof Attachment ? type : undefined
    const wanted = type instanceof Attachment ? undefined : typeNamed(type)
    if (wanted !== undefined && initial !== undefined) checkNumber(wanted, 'initial', initial)
    super(attachment, { type: OBJECT_TYPE.value, words: OWNED_WORDS }, (words, base) => {
      if (wanted !== undefined) Atomics.store(words, base + OWNED.type, wanted.code)
    })
    const { words } = this.session
    const { base } = this.handle
    const found = findType({ code: Atomics.load(words, base + OWNED.type) })!
    this.type = found.name as K
    this.#cell = new NumberCell(
      found,
      words.buffer as ArrayBuffer,
      words.byteOffset + (base + OWNED.value) * 4,
    )
    if (initial !== undefined) this.#cell.exchange(initial)
  }

  /** The value now. */
  get value(): ValueOf<K> {
    return this.use(this.#cell).load() as ValueOf<K>
  }

  set value(value: ValueFor<K>) {
    this.use(this.#cell).exchange(value)
  }

  /**
   * Adds to the value in one step.
   *
   * @param n may be negative for unsigned types, too.
   * @returns the old value.
   * @throws RangeError when the sum of integers does not fit the type; the value is unchanged. The sum of floats
   * is rounded, as in every addition of them.
   */
  add(n: ValueFor<K>): ValueOf<K> {
    return this.use(this.#cell).add(n) as ValueOf<K>
  }

  /** Replaces the value in one step; returns the old one. */
  exchange(value: ValueFor<K>): ValueOf<K> {
    return this.use(this.#cell).exchange(value) as ValueOf<K>
  }

  /**
   * Replaces the value by `value` if it is `expected`, in one step.
   *
   * NaN is the same as NaN here, and 0 as -0.
   *
   * @returns the old value: it was replaced if that is `expected`.
   */
  compareExchange(expected: ValueFor<K>, value: ValueFor<K>): ValueOf<K> {
    return this.use(this.#cell).compareExchange(expected, value) as ValueOf<K>
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'SharedValue' }
  }
}

function typeNamed(name: unknown): NonNullable<ReturnType<typeof findType>> {
  const type = typeof name === 'string' ? findType({ name }) : undefined
  if (type === undefined || type.name.includes(' ')) {
    throw wrongType('type', 'one of i8, u8, i16, u16, i32, u32, i64, u64, f32, f64', name)
  }
  return type
}
