/**
 * Emptying arrays that are filled again for the next message.
 *
 * @module
 */
const FEW = 16

/** Takes out all elements. Setting a length gives up the array's memory; taking out few one by one keeps it, and is faster. */
export function empty(array: unknown[]): void {
  if (array.length > FEW) array.length = 0
  else while (array.length > 0) array.pop()
}
