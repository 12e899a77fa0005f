/**
 * What came, whatever its order.
 *
 * @module
 */

/** Sorts values by their texts and joins them, to be compared or shown. */
export function sorted(values: readonly unknown[]): string {
  const texts = values.map(String)
  return texts.toSorted((a, b) => (a < b ? -1 : Number(a > b))).join()
}
