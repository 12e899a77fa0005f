/**
 * What every guard knows of the last holder, and to whom it is given back.
 *
 * @module
 */
import type { Death, Session } from '@mp/shared-memory/internal'
import type { DeadOwner, Guard } from './acquire.js'

/** Who a guard is given back to. */
export interface GuardHolder {
  /** Gives back what the guard holds, if it still holds it. */
  giveBack(guard: HeldGuard): void
}

/**
 * The guard of everything that can be acquired.
 *
 * One class for all, without a base: engines make objects of a derived class with private fields
 * many times slower, and a guard is made for each acquisition.
 */
export class HeldGuard implements Guard {
  ownerDied: boolean
  deadOwner: DeadOwner | null
  /** Whether it has been given back; for the holder. */
  released = false
  readonly #holder: GuardHolder

  /** @param dead tag of the last holder if it died holding it, else 0. */
  constructor(holder: GuardHolder, session: Session, dead: number) {
    this.#holder = holder
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

  release(): void {
    this.#holder.giveBack(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

function obituary({ reaper }: Session, dead: number): Death | null {
  return reaper.lookUp(dead) ?? null
}
