/**
 * One side of an `RWLock`: what acquires it for reading, or for writing.
 *
 * @module
 */
import {
  type Pending,
  type Session,
  type WaitOptions,
  type WaitSet,
  toTicks,
} from '@mp/shared-memory/internal'
import {
  type Acquisition,
  type Guard,
  type LockLike,
  runHolding,
  take,
  takeNow,
  takeSync,
} from './acquire.js'
import { GATE_MS } from './gate.js'
import { Levels } from './levels.js'
import type { RWCore } from './rw-core.js'

/** One wait to read; it knows since when it waits. */
export class ReadAcquisition implements Acquisition {
  readonly set: WaitSet
  readonly #session: Session
  readonly #core: RWCore
  #since: number | undefined

  constructor(session: Session, core: RWCore) {
    this.#session = session
    this.#core = core
    this.set = core.reading
  }

  tryTake(): number {
    const taken = this.#core.read(undefined)
    return typeof taken === 'number' ? taken : -1
  }

  begin(): void {
    this.#since = toTicks(this.#session.agent.platform.now())
  }

  attempt(): number | Pending {
    return this.#core.read(this.#since)
  }

  available(): boolean {
    return this.#core.writer() === 0
  }

  recheckMs(): number {
    return this.#core.isIdle() ? GATE_MS : Infinity
  }

  abandon(): void {
    this.#core.abandonReading()
  }

  settle(): void {}
}

/** Any wait to write. */
export class WriteAcquisition implements Acquisition {
  readonly set: WaitSet
  readonly #core: RWCore

  constructor(core: RWCore) {
    this.set = core.writing
    this.#core = core
  }

  tryTake(): number {
    const taken = this.attempt()
    return typeof taken === 'number' ? taken : -1
  }

  attempt(): number | Pending {
    const taken = this.#core.write()
    if (typeof taken !== 'number') this.#core.gate.stay()
    return taken
  }

  available(): boolean {
    return this.#core.isIdle()
  }

  recheckMs(): number {
    return this.#core.isIdle() ? GATE_MS : Infinity
  }

  abandon(): void {
    this.#core.abandonWriting()
  }

  settle(): void {
    this.#core.gate.settle()
  }
}

export class Side implements LockLike {
  readonly #session: Session
  readonly #begin: () => Acquisition
  readonly #levels: Levels

  /**
   * @param begin makes what waits.
   * @param giveBack gives back what this agent holds once, or throws.
   */
  constructor(session: Session, begin: () => Acquisition, giveBack: () => void) {
    this.#session = session
    this.#begin = begin
    this.#levels = new Levels(giveBack)
  }

  async acquire(options?: WaitOptions): Promise<Guard | null> {
    return this.#guard(await take(this.#session, this.#begin(), options))
  }

  acquireSync(options?: WaitOptions): Guard | null {
    return this.#guard(takeSync(this.#session, this.#begin(), options))
  }

  tryAcquire(): Guard | null {
    return this.#guard(takeNow(this.#session, this.#begin()))
  }

  release(): void {
    this.#levels.release()
  }

  run<R>(fn: () => R, options?: WaitOptions): Promise<Awaited<R>> {
    return runHolding(this, fn, options)
  }

  #guard(taken: number): Guard | null {
    return taken < 0 ? null : this.#levels.add(taken !== 0)
  }
}
