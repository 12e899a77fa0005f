/**
 * Cutting an input into the pieces that one task takes.
 *
 * @module
 */
import { wrongType } from '@mp/shared-memory/internal'

/** What can be given as items. */
export type Items<T> = Iterable<T> | AsyncIterable<T>

/** All items as an array of our own. */
export async function collect<T>(items: Items<T>): Promise<T[]> {
  if (isIterable<T>(items)) return collectSync(items)
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

/** All items as an array, where waiting is not possible. */
export function collectSync<T>(items: Iterable<T>): T[] {
  if (!isIterable<T>(items)) throw wrongType('items', 'an iterable', items)
  return Array.isArray(items) ? (items.slice() as T[]) : [...items]
}

/** Python's default: four pieces for each worker. */
export function defaultChunkSize(length: number, workers: number): number {
  return Math.max(1, Math.ceil(length / (workers * 4)))
}

/** All results in one array. `concat` copies numbers as they are, where a loop makes an object of most of them. */
export function join(chunks: readonly unknown[][]): unknown[] {
  if (chunks.length === 1) return chunks[0]
  if (chunks.length <= MOST_ARGUMENTS) return ([] as unknown[]).concat(...chunks)
  const groups: unknown[][] = []
  for (let i = 0; i < chunks.length; i += MOST_ARGUMENTS) {
    groups.push(join(chunks.slice(i, i + MOST_ARGUMENTS)))
  }
  return join(groups)
}

/** A call with very many arguments overflows the stack. */
const MOST_ARGUMENTS = 1000

/** Throws TypeError for what is no input. */
export function checkItems(items: unknown): void {
  if (!isIterable(items) && !isAsyncIterable(items)) {
    throw wrongType('items', 'an iterable or an async iterable', items)
  }
}

/** How many items there are, where that can be known without reading them. */
export function countOf(items: unknown): number | undefined {
  if (Array.isArray(items) || ArrayBuffer.isView(items)) return (items as Uint8Array).length
  return items instanceof Set || items instanceof Map ? items.size : undefined
}

/** One iterator for both kinds of input. */
export function iterate<T>(items: Items<T>): Iterator<T> | AsyncIterator<T> {
  return isIterable<T>(items) ? items[Symbol.iterator]() : items[Symbol.asyncIterator]()
}

export function isIterable<T>(items: unknown): items is Iterable<T> {
  return typeof (items as Partial<Iterable<T>> | null | undefined)?.[Symbol.iterator] === 'function'
}

function isAsyncIterable(items: unknown): boolean {
  return (
    typeof (items as Partial<AsyncIterable<unknown>> | null | undefined)?.[Symbol.asyncIterator] ===
    'function'
  )
}
