/**
 * What a child says of itself to the other `@mp` packages, without all that starts children. Not for users.
 *
 * @module
 */
import { current, rehearsals } from './state.js'

/** Lets this process start children although it is a daemon: whoever it belongs to ends it in a way that ends them. */
export function allowChildren(): void {
  current.state.daemon = false
}

/**
 * Has a fork server do something at its start that its children will do, with a place in the session: they have it compiled
 * then. It must take back all that it does.
 *
 * @param rehearsal gets a number that no other has got.
 */
export function alsoRehearse(rehearsal: (n: number) => Promise<void>): void {
  rehearsals.push(rehearsal)
}

/** Found by its name, for a rehearsal. */
export function nothing(): void {}
