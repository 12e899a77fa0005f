/**
 * Loans among the items of a put.
 *
 * @module
 */
import { Loan, type Message } from '@mp/shared-memory/internal'

/** What can be put: an item, and in place of one that is a `Uint8Array` also a loan. */
export type Loanable<T> = T | (Uint8Array<ArrayBuffer> extends T ? Loan : never)

/** Messages on their way, and the loans that some of them are. */
export interface Lent {
  readonly messages: readonly Message[]
  readonly loans: readonly Loan[]
}

/** Takes loans away from the user: until `settle` they are on their way. All, or none and throws. */
export function lend(items: readonly (Uint8Array | Loan)[]): Lent {
  const loans: Loan[] = []
  try {
    const messages = items.map((item) => {
      if (!(item instanceof Loan)) return item
      const message = item.lend('queue')
      loans.push(item)
      return message
    })
    return { messages, loans }
  } catch (error) {
    settle(loans, false)
    throw error
  }
}

/** Says whether they were put; if not they are the user's again. */
export function settle(loans: readonly Loan[], wasPut: boolean): void {
  for (const loan of loans) loan.settle(wasPut)
}
