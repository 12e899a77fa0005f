/**
 * Taking several items at once.
 *
 * They are taken one after the other, as by `get`. So one that cannot be decoded is to be told of by the call in which
 * it would have been the first: what was taken before it is not lost with it.
 *
 * @module
 */
import { loadsFrom } from '@mp/pickle'
import { type MessageRing, PENDING } from '@mp/shared-memory/internal'
import { Undecoded, decodeItem, decodeOrKeep } from './decoding.js'

/** What became of items that this thread has taken and nobody has heard of yet: they could not be decoded. */
export class Failures {
  readonly #errors: unknown[] = []

  get any(): boolean {
    return this.#errors.length > 0
  }

  add(error: unknown): void {
    this.#errors.push(error)
  }

  /** Tells of the first one. */
  throwFirst(): void {
    if (this.#errors.length > 0) throw this.#errors.shift()
  }
}

/** Where items are taken from, until `isOver`: the queue may be closed meanwhile. */
export interface Source {
  readonly ring: MessageRing
  readonly failures: Failures
  isOver(): boolean
}

/** Adds what can be taken now, until there are `max` or one cannot be decoded. */
export async function takeMore<T>(items: T[], max: number, source: Source): Promise<T[]> {
  try {
    while (items.length < max && !source.isOver()) {
      let item = source.ring.tryRead(decodeOrKeep)
      if (item === PENDING) break
      if (item instanceof Undecoded) item = await decodeItem(item.bytes)
      items.push(item as T)
    }
  } catch (error) {
    source.failures.add(error)
  }
  return items
}

/** `takeMore`, of what can be decoded without waiting. */
export function takeMoreSync<T>(items: T[], max: number, source: Source): T[] {
  try {
    while (items.length < max && !source.isOver()) {
      const item = source.ring.tryRead(loadsFrom)
      if (item === PENDING) break
      items.push(item as T)
    }
  } catch (error) {
    source.failures.add(error)
  }
  return items
}
