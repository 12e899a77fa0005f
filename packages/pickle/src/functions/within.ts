/**
 * Finding what stands in a part of a script, without looking at all of it: bundles are long.
 *
 * @module
 */

/**
 * @param list in the order of the script.
 * @param startOf where an item of it begins.
 * @returns the items that begin in a range.
 */
export function within<T>(
  list: readonly T[],
  { start, end }: { start: number; end: number },
  startOf: (item: T) => number,
): readonly T[] {
  return list.slice(lowerBound(list, start, startOf), lowerBound(list, end, startOf))
}

/** @returns the index of the first item that begins at a place or after it. */
export function lowerBound<T>(
  list: readonly T[],
  place: number,
  startOf: (item: T) => number,
): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (startOf(list[middle]) < place) low = middle + 1
    else high = middle
  }
  return low
}

/** For lists of marks. */
export function startOfMark(mark: { start: number }): number {
  return mark.start
}
