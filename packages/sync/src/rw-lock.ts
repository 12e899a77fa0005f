/**
 * A lock that many may hold to read, or one to write, between processes and threads.
 *
 * The protocol is in `rw-core.ts`.
 *
 * @module
 */
import { type Attachment, OBJECT_TYPE, type Origin, SharedObject } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import type { LockLike } from './acquire.js'
import { NotHeldError, NotOwnerError } from './errors.js'
import { RWCore, rwShape } from './rw-core.js'
import { ReadAcquisition, Side, WriteAcquisition } from './rw-side.js'

/**
 * A read-write lock: any number of readers, or one writer.
 *
 * Phases alternate, so neither starves: who comes to read waits behind a writer that waits, and
 * readers that waited while somebody wrote go before the next writer. It is not re-entrant: who
 * reads and wants to write, or to read again while a writer waits, waits for itself. When the writer
 * dies, the next holder's guard says so; what a dead reader held comes back. Only the agent that
 * holds a side releases it.
 *
 * @example
 * const lock = new RWLock()
 * await lock.read.run(() => table.find(key))
 * await lock.write.run(() => table.insert(key, value))
 */
export class RWLock extends SharedObject {
  /** Held by any number of agents at a time while nobody writes. */
  readonly read: LockLike
  /** Held by one agent at a time while nobody reads. */
  readonly write: LockLike

  /** Makes a free lock. It ends when nobody can use it any more, or has closed it. */
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    super(attachment, { type: OBJECT_TYPE.rwlock, ...rwShape() }, () => {})
    const { session } = this
    const core = new RWCore(session, this.handle.base)
    // Whoever has a side only has the lock.
    const usable = (): RWCore => this.use(core)
    this.read = new Side(
      session,
      () => new ReadAcquisition(session, usable()),
      () => {
        if (!usable().releaseRead()) throw new NotHeldError('This process or thread does not read')
      },
    )
    const writing = new WriteAcquisition(core)
    this.write = new Side(
      session,
      () => usable() && writing,
      () => {
        if (usable().releaseWrite()) return
        if (core.writer() === 0) throw new NotHeldError('Nobody holds this RWLock for writing')
        throw new NotOwnerError('This RWLock is held for writing by another process or thread')
      },
    )
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'RWLock' }
  }
}
