/**
 * What every guard knows of the last holder.
 *
 * @module
 */
import type { Death, Session } from '@mp/shared-memory/internal'
import type { DeadOwner, Guard } from './acquire.js'

export abstract class HeldGuard implements Guard {
  ownerDied: boolean
  deadOwner: DeadOwner | null

  /** @param dead tag of the last holder if it died holding it, else 0. */
  constructor(session: Session, dead: number) {
    this.ownerDied = dead !== 0
    // Nothing is looked up for a lock that was free.
    this.deadOwner = dead === 0 ? null : obituary(session, dead)
  }

  /** Notes that somebody died holding it while this guard was set aside. */
  mourn(session: Session, dead: number): void {
    if (dead === 0) return
    this.ownerDied = true
    this.deadOwner = obituary(session, dead)
  }

  abstract release(): void

  [Symbol.dispose](): void {
    this.release()
  }
}

function obituary({ reaper }: Session, dead: number): Death | null {
  return reaper.lookUp(dead) ?? null
}
