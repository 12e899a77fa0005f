/**
 * Writes numbers for people.
 *
 * @module
 */

/** With three digits at least, and thousands apart. */
export function figure(value: number | null): string {
  if (value === null) return '–'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
}

/** How many times better. */
export function times(ratio: number | null): string {
  if (ratio === null) return '–'
  return `${ratio.toFixed(ratio < 10 ? 2 : ratio < 100 ? 1 : 0)} ×`
}
