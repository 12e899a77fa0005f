/**
 * What an encoded message has promised, and what becomes of it.
 *
 * A handle notes each copy of itself that is encoded. Whoever encodes the message
 * keeps the notes with it: gives them to what the message travels through, or
 * calls them off when it is not delivered.
 *
 * A message that is decoded any number of times is "kept": its bytes name no copies,
 * so decoding it takes none off; who keeps the message keeps them, and calls them off
 * when it is decoded no more.
 *
 * @module
 */
import type { Copy } from './copies.js'
import type { Ends } from './ring/message.js'

const END_SHIFT = 24

/** What a message travels through, as one number: a pipe, and which of its ends receives. Of others it is the index. */
export function throughPipe(index: number, receiver: 0 | 1): number {
  return index | ((receiver + 1) << END_SHIFT)
}

/** The index of what a message travels through. */
export function throughIndex(through: number): number {
  return through & ((1 << END_SHIFT) - 1)
}

/** The end of a pipe that receives it; undefined for anything but a pipe. */
export function throughEnd(through: number): 0 | 1 | undefined {
  const end = through >>> END_SHIFT
  return end === 0 ? undefined : end === 1 ? 0 : 1
}

/** A copy of a handle in a message. */
export interface Note {
  /** The copy will not arrive any more; does nothing when it has. `isLost`: its receiver has died. */
  recall(isLost: boolean): void
  /**
   * The copy travels through this object (see `throughPipe`), and ends with it.
   *
   * @returns the word beside it that is to get the message's number, if there is one.
   */
  give?(through: number): number | undefined
  /** The copy itself, and the index of its object: whoever knows them can take it off in the sender's place. */
  readonly copy?: ObjectCopy
}

/** A copy of a shared object on its way. */
export interface ObjectCopy extends Copy {
  readonly object: number
}

const NONE: readonly ObjectCopy[] = []

/** The notes of one message. */
export class Notes {
  readonly isKept: boolean
  // Most messages name no copies.
  #list: Note[] | undefined

  constructor(isKept = false) {
    this.isKept = isKept
  }

  get count(): number {
    return this.#list?.length ?? 0
  }

  add(note: Note): void {
    this.#list ??= []
    this.#list.push(note)
  }

  /** The copies of shared objects in the message. */
  copies(): readonly ObjectCopy[] {
    return this.#list?.flatMap(({ copy }) => copy ?? []) ?? NONE
  }

  /** Takes back what was promised; does nothing the second time. */
  cancel(isLost = false): void {
    if (this.#list !== undefined) for (const note of this.#list.splice(0)) note.recall(isLost)
  }

  /** The message is about to travel through the object with this index. @returns words that are to get its number. */
  give(through: number): Ends | undefined {
    const ends = this.#list?.flatMap((note) => note.give?.(through) ?? [])
    return ends === undefined || ends.length === 0 ? undefined : ends
  }
}

let current: Notes | undefined

/** Runs `encode` and keeps its notes; takes the copies back at once if it throws. */
export function collectNotes<A, N extends Notes, R>(
  notes: N,
  encode: (first: A, notes: N) => R,
  first: A,
): R {
  const outer = current
  current = notes
  try {
    return encode(first, notes)
  } catch (error) {
    notes.cancel()
    throw error
  } finally {
    current = outer
  }
}

/** An encoded message, and how to take back what its encoding has promised. */
export interface Tracked<R> {
  readonly result: R
  /** Whether it names any copies. */
  readonly hasCopies: boolean
  /**
   * To be called when the message will not be decoded (any more); does nothing the second time.
   *
   * @param isLost whether that is because its receiver has died.
   */
  cancel(isLost?: boolean): void
  /**
   * The message is about to travel through the object with this index: what of it nobody receives ends with that.
   *
   * @returns words that are to get its number.
   */
  give(through: number): Ends | undefined
  /** The copies of shared objects in it. */
  copies(): readonly ObjectCopy[]
}

/** Notes a copy in the message that is being encoded. */
export function noteInFlight(note: Note): void {
  current?.add(note)
}

/** Whether somebody tracks what is being encoded. */
export function isTracked(): boolean {
  return current !== undefined
}

/** Whether the message that is being encoded may be decoded any number of times. */
export function isKept(): boolean {
  return current?.isKept === true
}

/** Runs `encode` and keeps its notes; takes the copies back at once if it throws. */
export function trackInFlight<R>(encode: () => R): Tracked<R> {
  return track(encode, false)
}

/** As `trackInFlight`, for a message that may be decoded any number of times, until `cancel`. */
export function keepInFlight<R>(encode: () => R): Tracked<R> {
  return track(encode, true)
}

function track<R>(encode: () => R, kept: boolean): Tracked<R> {
  const notes = new Notes(kept)
  const result = collectNotes(notes, encode, undefined)
  return {
    result,
    hasCopies: notes.count > 0,
    cancel: (isLost) => notes.cancel(isLost),
    give: (through) => notes.give(through),
    copies: () => notes.copies(),
  }
}

let revived: unknown[] | undefined

/**
 * Runs `decode` and keeps what handles it revives in `objects`.
 *
 * For a message that may have to be decoded again: the copies that it names arrive the first time.
 */
export function collectRevived<R>(objects: unknown[], decode: () => R): R {
  const outer = revived
  revived = objects
  try {
    return decode()
  } finally {
    revived = outer
  }
}

/** Notes that a handle was revived. */
export function noteRevived(object: unknown): void {
  revived?.push(object)
}
