/**
 * What a child says of itself to the other `@mp` packages, without all that starts children. Not for users.
 *
 * @module
 */
import { current } from './state.js'

/** Lets this process start children although it is a daemon: whoever it belongs to ends it in a way that ends them. */
export function allowChildren(): void {
  current.state.daemon = false
}
