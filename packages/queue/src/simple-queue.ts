/**
 * A queue without bounds or settings.
 *
 * @module
 */
import type { Attachment, Origin } from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { Queue } from './queue.js'

/** A `Queue` that holds any number of items. */
export class SimpleQueue<T = unknown> extends Queue<T> {
  constructor()
  /** @internal */
  constructor(attachment?: Attachment)
  constructor(attachment?: Attachment) {
    super(attachment)
  }

  /** @internal */
  protected override origin(): Origin {
    return { module: ORIGIN, name: 'SimpleQueue' }
  }
}
