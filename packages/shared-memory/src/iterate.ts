/**
 * `for await` over something that ends by an error.
 *
 * Takes one item for each turn of the loop, never ahead: what was taken and not looked at when the loop is left
 * would be lost. An asynchronous generator would cost three promises for each.
 *
 * @module
 */

/**
 * Makes the iterator.
 *
 * @param take gives the next item.
 * @param isEnd whether what `take` threw is the end, and not an error.
 */
export function iterate<T>(
  take: () => Promise<T>,
  isEnd: (error: unknown) => boolean,
): AsyncIterator<T, undefined> {
  let isOver = false
  return {
    async next() {
      if (isOver) return { done: true, value: undefined }
      try {
        return { done: false, value: await take() }
      } catch (error) {
        isOver = true
        if (isEnd(error)) return { done: true, value: undefined }
        throw error
      }
    },
    return() {
      isOver = true
      return Promise.resolve({ done: true, value: undefined })
    },
  }
}
