/**
 * What the other `@mp` packages build on. Not for users: no promise of stability.
 *
 * @module
 */
export { Agent, SLICE_MS, type Platform } from './agent.js'
export { anyOf } from './any-of.js'
export { Arena, raise } from './arena.js'
export {
  checkInteger,
  checkWaitOptions,
  outOfRange,
  wrongType,
  type WaitOptions,
} from './arguments.js'
export { DeathWatch, type Watcher } from './death-watch.js'
export { PollState, pollDescriptor } from './descriptors.js'
export type { ObjectHandle, ObjectShape } from './directory.js'
export { Directory } from './directory.js'
export { MultiprocessingError, OutOfSharedMemoryError, TimeoutError } from './errors.js'
export {
  Notes,
  collectNotes,
  collectRevived,
  isKept,
  keepInFlight,
  noteInFlight,
  noteRevived,
  throughEnd,
  throughIndex,
  throughPipe,
  trackInFlight,
  type ObjectCopy,
  type Tracked,
} from './in-flight.js'
export { iterate } from './iterate.js'
export * from './layout.js'
export { directoryForCode, variantOfCode } from './kept-code/place.js'
export { KeptScript } from './kept-code/script.js'
export { LeafLock } from './leaf-lock.js'
export { loadedModules, noteLoaded } from './loaded.js'
export { MemoryWaits } from './memory-waits.js'
export type { Native, NativeRun } from './native.js'
export { Lifetime } from './lifetime.js'
export { givePages } from './object-pages.js'
export { freeRun } from './page-run.js'
export { Pages, pagesFor } from './pages.js'
export { Reaper, type Coroner, type Death, type Recover } from './reaper.js'
export { sentinelFor, sentinelOf, waitableSymbol, type Sentinel } from './sentinel.js'
export { loadNative } from './native.js'
export { isBare, loadPlatform } from './platform.js'
export { BOOK, giveSlot, leave, noteStarter, takeSlot } from './bare/books.js'
export { unavailable } from './bare/unavailable.js'
export type { Lifeline } from './bare/platform.js'
export {
  hasSession,
  joinSession,
  leaveUnseen,
  prepareSession,
  session,
  type Session,
} from './session.js'
export {
  Attachment,
  SharedObject,
  reduceSymbol,
  reviveSymbol,
  type Origin,
  type Reduced,
} from './shared-object.js'
export { Delivery, mayArrive } from './ring/delivery.js'
export { keptExtent, readKept, type Keeper } from './ring/kept.js'
export {
  BytesLease,
  Lease,
  LeasedBytes,
  type LeaseOption,
  type PlaceBytes,
  checkLease,
} from './ring/lease.js'
export { Loan } from './ring/loan.js'
export {
  type Ends,
  CorruptRingError,
  Extent,
  MessageTooLargeError,
  RingClosedError,
  needsExtent,
  takeExtent,
  type Message,
} from './ring/message.js'
export { isShort as isShortMessage } from './ring/copy.js'
export { MessageRing, type CopyTo, type PutResult } from './ring/message-ring.js'
export { Outgoing, type Target } from './ring/outgoing.js'
export { claimOf, ownCopy } from './ring/ring-reader.js'
export { Taken, type ReadMessage } from './ring/taken.js'
export { recoverTakings } from './ring/taking.js'
export { POSITION_WORDS, RING, RING_SETS, RING_WORDS } from './ring/layout.js'
export { Spinning } from './spinning.js'
export { isDead, makeTag, tagSlot } from './tag.js'
export { ARRIVAL_WORDS, WAIT_SET_WORDS, WaitSet, toTicks } from './wait-set.js'
export {
  PENDING,
  Waiting,
  deadlineAfter,
  throwIfAborted,
  type Pending,
  type Waitable,
} from './waiting.js'
