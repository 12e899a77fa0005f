/**
 * Rows from columns: Python's `zip`, for any kind of input.
 *
 * @module
 */
import { type Items, isIterable, iterate } from '../chunks.js'

/** One item of each, as far as the shortest goes; read as far as it is read. */
export function zip(columns: readonly Items<unknown>[]): Items<unknown[]> {
  return columns.every((items) => isIterable(items)) ? rows(columns) : rowsLater(columns)
}

function* rows(columns: readonly Items<unknown>[]): Generator<unknown[], void> {
  const all = columns.map((items) => iterate(items) as Iterator<unknown>)
  // One may be there several times.
  const open = new Set(all)
  try {
    for (;;) {
      const row: unknown[] = []
      for (const column of all) {
        // One that ends or throws is not to be closed.
        open.delete(column)
        const { done, value } = column.next()
        if (done) return
        open.add(column)
        row.push(value)
      }
      yield row
    }
  } finally {
    for (const column of open) column.return?.()
  }
}

async function* rowsLater(columns: readonly Items<unknown>[]): AsyncGenerator<unknown[], void> {
  const all = columns.map((items) => iterate(items))
  const open = new Set(all)
  try {
    for (;;) {
      const row: unknown[] = []
      for (const column of all) {
        open.delete(column)
        const { done, value } = await column.next()
        if (done) return
        open.add(column)
        row.push(value)
      }
      yield row
    }
  } finally {
    for (const column of open) await column.return?.()
  }
}
