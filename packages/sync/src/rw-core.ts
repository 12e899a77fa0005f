/**
 * The protocol of `RWLock`: many readers or one writer, in phases that starve neither.
 *
 * Who comes to read waits behind writers that wait. When a writer leaves, the
 * readers that waited by then go before the next writer; those that come later
 * do not. After Brandenburg and Anderson's phase-fair locks. Writers among
 * themselves take turns by a gate.
 *
 * The truth is the writer's tag and a ledger of readers, so what the dead hold is
 * known to nobody's cost: a dead writer's lock is free, and a dead reader's count
 * is struck out by the next writer that looks.
 *
 * @module
 */
import {
  LeafLock,
  type ObjectShape,
  PENDING,
  type Pending,
  type Session,
  WaitSet,
  isDead,
  toTicks,
} from '@mp/shared-memory/internal'
import { GATE_MS, Gate } from './gate.js'
import { LEDGER_WORDS, Ledger } from './ledger.js'

/**
 * Words of a read-write lock.
 *
 * | word      | name     | values                                                                     |
 * | --------- | -------- | -------------------------------------------------------------------------- |
 * | 0         | leaf     | leaf lock over writer, readers and ledger                                   |
 * | 1–2       | gate     | see `GATE`; for writers                                                     |
 * | 3         | writer   | 0 · tag of the agent that writes. A dead one's: free, and it died writing    |
 * | 4         | readers  | Σ ledger; derived                                                           |
 * | 5         | turn     | 0 · when the readers' turn began, in ticks, made odd; a hint                |
 * | 6         | freed    | when it was last left to who waited, in ticks; a hint                       |
 * | 16–31     | reading  | wait set of those who want to read                                          |
 * | 32–47     | writing  | wait set of those who want to write                                         |
 * | 48–63     | leafSet  | wait set of the leaf lock                                                   |
 * | 64–79     | invited  | agents whose readers waited when the turn began, and have not come in; a hint |
 * | 80–95     | queue    | see `Gate`                                                                  |
 * | 128–639   | came     | since when each agent waits to read                                         |
 * | 640–1151  | cameW    | since when each agent waits to write                                        |
 * | 1152–2175 | ledger   | how often each agent reads                                                  |
 */
const RW = {
  leaf: 0,
  gate: 1,
  writer: 3,
  readers: 4,
  turn: 5,
  freed: 6,
  reading: 16,
  writing: 32,
  leafSet: 48,
  invited: 64,
  queue: 80,
  came: 128,
  cameW: 640,
  ledger: 1152,
} as const

export function rwShape(): Omit<ObjectShape, 'type'> {
  return { words: RW.ledger + LEDGER_WORDS, sets: RW.reading, setCount: 5 }
}

export class RWCore {
  readonly reading: WaitSet
  readonly writing: WaitSet
  readonly gate: Gate
  readonly #session: Session
  readonly #words: Int32Array
  readonly #base: number
  readonly #invited: WaitSet
  readonly #held: Ledger
  readonly #leaf: LeafLock

  /** @param base first word of the lock. */
  constructor(session: Session, base: number) {
    const { agent, waiting, words } = session
    this.#session = session
    this.#words = words
    this.#base = base
    this.reading = new WaitSet(agent, base + RW.reading, base + RW.came)
    const queue = base + RW.queue
    this.writing = new WaitSet(agent, base + RW.writing, base + RW.cameW, queue)
    this.gate = new Gate(session, base + RW.gate, this.writing, queue, base + RW.cameW)
    this.#invited = new WaitSet(agent, base + RW.invited)
    this.#held = new Ledger(session, base + RW.ledger)
    this.#leaf = new LeafLock(agent, waiting, base + RW.leaf, base + RW.leafSet, () =>
      this.#derive(),
    )
  }

  /**
   * Takes it for reading; gives the tag of the writer that died writing, or 0.
   *
   * @param since when this reader came, in ticks; undefined when it does not wait yet.
   */
  read(since: number | undefined): number | Pending {
    if (this.#mustYield(since)) return PENDING
    const words = this.#words
    this.#leaf.lock()
    const writer = Atomics.load(words, this.#base + RW.writer)
    const isFree = writer === 0 || isDead(words, writer)
    if (isFree) {
      if (!this.#held.signed) {
        this.#held.settle()
        this.#derive()
      }
      // CRASH: one store makes us a reader; the two after it are derived, or the same as before.
      this.#held.setOwn(this.#held.own() + 1)
      Atomics.add(words, this.#base + RW.readers, 1)
      if (writer !== 0) Atomics.store(words, this.#base + RW.writer, 0)
    }
    this.#leaf.unlock()
    if (!isFree) return PENDING
    this.#invited.disarm()
    return writer
  }

  /** Takes it for writing; gives the tag of the writer that died writing, or 0. */
  write(): number | Pending {
    const words = this.#words
    const gate = this.gate.owner()
    if (this.gate.bars(gate) || this.#isReadersTurn()) return PENDING
    this.#leaf.lock()
    const writer = Atomics.load(words, this.#base + RW.writer)
    const isFree = (writer === 0 || isDead(words, writer)) && !this.#isRead()
    // CRASH: dying from here on leaves our tag, which the next one recognises.
    if (isFree) Atomics.store(words, this.#base + RW.writer, this.#session.agent.tag)
    this.#leaf.unlock()
    if (!isFree) return PENDING
    this.gate.open(gate)
    return writer
  }

  /** Gives back one of this agent's reads; false when it has none. */
  releaseRead(): boolean {
    const words = this.#words
    const own = this.#held.own()
    if (own === 0) return false
    this.#leaf.lock()
    this.#held.setOwn(own - 1)
    const left = Atomics.sub(words, this.#base + RW.readers, 1) - 1
    this.#leaf.unlock()
    if (left === 0 && this.gate.isAwaited()) {
      Atomics.store(words, this.#base + RW.freed, this.#now())
      this.gate.wakeNext()
    }
    return true
  }

  /** Gives back the write of this agent; false when it has none. */
  releaseWrite(): boolean {
    const words = this.#words
    if (this.writer() !== this.#session.agent.tag) return false
    const isAwaited = this.reading.any() || this.gate.isAwaited()
    if (isAwaited) this.#inviteReaders()
    // SYNC: what was written is visible to whoever reads 0 here; then we look who waits, and they arm before they
    // look here. CRASH: before it, we died writing; after it, any death wakes everybody.
    Atomics.store(words, this.#base + RW.writer, 0)
    if (isAwaited || this.reading.any() || this.gate.isAwaited()) {
      this.reading.wakeAll()
      this.gate.wakeNext()
    }
    return true
  }

  /** Tag of the living agent that writes, or 0. */
  writer(): number {
    const writer = Atomics.load(this.#words, this.#base + RW.writer)
    return writer === 0 || isDead(this.#words, writer) ? 0 : writer
  }

  /** Whether somebody reads; a hint. */
  isRead(): boolean {
    return Atomics.load(this.#words, this.#base + RW.readers) > 0
  }

  /** Whether nobody holds it, and somebody else's turn has to be waited for. */
  isIdle(): boolean {
    return this.writer() === 0 && !this.isRead()
  }

  /** A reader that leaves without having read is not waited for. */
  abandonReading(): void {
    this.#invited.disarm()
  }

  /** A writer that leaves without having written may have kept readers waiting. */
  abandonWriting(): void {
    this.gate.leave()
    this.reading.wakeAll()
  }

  /** Whether a reader has to let a waiting writer go first. */
  #mustYield(since: number | undefined): boolean {
    if (!this.gate.isAwaited()) return false
    const turn = Atomics.load(this.#words, this.#base + RW.turn)
    if (since !== undefined && turn !== 0 && ((since - turn) | 0) <= 0) return false
    // A writer that does not take a free lock for so long is stopped, or its event loop is busy.
    return !(this.isIdle() && this.#isOver(Atomics.load(this.#words, this.#base + RW.freed)))
  }

  /** Whether readers that waited when the last writer left have not come in yet. */
  #isReadersTurn(): boolean {
    const turn = Atomics.load(this.#words, this.#base + RW.turn)
    return turn !== 0 && this.#invited.any() && !this.#isOver(turn)
  }

  /** Whoever waits to read now goes before the next writer. */
  #inviteReaders(): void {
    const { agent } = this.#session
    const words = this.#words
    const end = (agent.highSlot() + 31) >>> 5
    for (let i = 0; i < end; i++) {
      const waiting = Atomics.load(words, this.#base + RW.reading + i)
      Atomics.store(words, this.#base + RW.invited + i, waiting)
      // CRASH: one that died before the store may have been reaped by then; of a later death its reaper takes the bit.
      for (let bits = waiting; bits !== 0; bits &= bits - 1) {
        const bit = bits & -bits
        if (agent.isLive(i * 32 + 31 - Math.clz32(bit))) continue
        Atomics.and(words, this.#base + RW.invited + i, ~bit)
      }
    }
    const now = this.#now()
    Atomics.store(words, this.#base + RW.freed, now)
    Atomics.store(words, this.#base + RW.turn, now | 1)
  }

  /** Whether anybody alive reads. Under the leaf lock. */
  #isRead(): boolean {
    if (!this.isRead()) return false
    if (this.#held.settle() !== 0) this.#derive()
    return this.isRead()
  }

  #isOver(since: number): boolean {
    return ((this.#now() - since) | 0) > toTicks(GATE_MS)
  }

  #derive(): void {
    Atomics.store(this.#words, this.#base + RW.readers, this.#held.total())
  }

  #now(): number {
    return toTicks(this.#session.agent.platform.now())
  }
}
