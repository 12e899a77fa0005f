/**
 * What proves the protocol of acknowledged queues uses of it. Not for users: no promise of stability.
 *
 * @module
 */
export { AcknowledgedRing } from './acknowledged-ring.js'
export type { TakenItem } from './claims.js'
export { QUEUE, QUEUE_SETS, QUEUE_WORDS } from './layout.js'
