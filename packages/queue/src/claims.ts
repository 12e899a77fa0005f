/**
 * What was taken from an acknowledged queue and is not done.
 *
 * Actors: takers, each an agent; whoever waits for all to be done; nobody else: there is nothing to reap.
 *
 * An item stays where it lies, in the pages of the ring, until it is done. Who has it says its claim, a word with
 * the taker's tag, written before the store that takes it from the ring. So at any moment an item that was put and is
 * not done is in the ring or has a claim that is not free; when both have ended everything is done.
 *
 *  - take:    in the readers' lock: note the claim in `claiming`, fill it, sign it, take the item (the ring's commit).
 *  - done:    the claim becomes free: one store. Then what the item alone had is freed.
 *  - return:  the claim becomes `returned`: one store.
 *  - death:   a claim with a dead agent's tag is as good as returned, from the moment the agent counts as dead.
 *  - again:   in the readers' lock: sign a returned claim. It was not free in between.
 *
 * The race prevented: a taker that dies after it has signed and before it has taken leaves a claim for an item that
 * the ring still has, and the item would be delivered twice. Only the last claim can be such a one, and `claiming` names
 * it; the number of its item is then the ring's next. Whoever makes a claim or takes one over looks there first.
 *
 * Pages: the ring leaves its pages to us. They stay in its list, from `oldestPage` to where readers are; now and then
 * those that no claim lies in are unlinked and freed.
 *
 * @module
 */
import {
  type Keeper,
  type MessageRing,
  MultiprocessingError,
  OutOfSharedMemoryError,
  POSITION_WORDS,
  RING,
  type Session,
  WaitSet,
  keptExtent,
  readKept,
} from '@mp/shared-memory/internal'
import { CLAIM, CLAIM_STATE, ClaimTable, MAX_CLAIMS } from './claim-table.js'
import { QUEUE } from './layout.js'
import { Orphans } from './orphans.js'
import { type Unwrapped, unwrap } from './wrapping.js'

/** An item that this agent has taken and not finished. */
export interface Hold {
  readonly claim: number
  readonly copies: Unwrapped['copies']
}

/** An item that this agent takes. */
export interface TakenItem {
  readonly hold: Hold
  readonly message: Uint8Array<ArrayBuffer>
  /** How often it had been delivered before. */
  readonly redelivered: number
}

const MOST_DELIVERIES = 0xffff
/** So many claims that this agent has freed are remembered. */
const MOST_RECENT = 4096
/** One look for pages to free costs this agent as much as that many of the claims looked at. */
const LOOKS_A_PAGE = 16

export class Claims implements Keeper {
  readonly #session: Session
  readonly #ring: MessageRing
  readonly #base: number
  readonly #joined: WaitSet
  readonly #table: ClaimTable
  readonly #orphans: Orphans
  /** Claims that this agent has freed, the last one last. Others may have taken them since. */
  readonly #recent: number[] = []
  /** How many items this agent has taken and not finished. */
  #count = 0
  /** The claim that is being made. */
  #made = -1
  /** A claim that was not free when it was last looked at. */
  #witness = 0
  /** The page that this agent has last taken from, and how many may have become free since it last looked. */
  #lastPage = -1
  #left = 0
  #pinned: Uint32Array | undefined

  constructor(session: Session, ring: MessageRing, base: number, index: number) {
    this.#session = session
    this.#ring = ring
    this.#base = base
    this.#joined = new WaitSet(session.agent, base + QUEUE.joined)
    this.#table = new ClaimTable(session, base, index)
    this.#orphans = new Orphans(session, this.#table, base)
  }

  /** How many items this agent has taken and not finished. */
  get count(): number {
    return this.#count
  }

  /** Whether what can be taken is to be dropped. */
  get isDropping(): boolean {
    return Atomics.load(this.#session.words, this.#base + QUEUE.dropping) !== 0
  }

  /** From now on whoever would take something drops it. */
  startDropping(): void {
    Atomics.store(this.#session.words, this.#base + QUEUE.dropping, 1)
  }

  /** Makes room for the first claims: of a queue that nobody else knows yet. */
  prepare(): void {
    if (!this.#table.reserve(0)) throw this.refusal()
  }

  /** Takes an item that somebody else has had, else the ring's next by `takeNext`; null when there is none. */
  take(takeNext: () => Uint8Array<ArrayBuffer> | null): TakenItem | null {
    let hasDropped = false
    for (;;) {
      const item = this.#takeAgain() ?? this.#takeFirst(takeNext)
      if (item !== null && this.isDropping) {
        this.finish(item.hold)
        hasDropped = true
        continue
      }
      // Who waits for all to be done may have seen an item in our hands.
      if (hasDropped) this.#joined.wakeAll()
      return item
    }
  }

  /** The item is done. */
  finish({ claim, copies }: Hold): void {
    const { pages, lifetime } = this.#session
    const page = this.#table.load(claim, CLAIM.page)
    const extent = keptExtent(this.#session, page, this.#offset(claim))
    // CRASH: before it the item is delivered again; after it it is done, and what is not freed below is with the queue.
    this.#table.store(claim, CLAIM.state, CLAIM_STATE.free)
    if (extent !== null) pages.arena.free(extent.page, extent.pages)
    for (const copy of copies) lifetime.recall(copy, copy.object, false)
    this.#count--
    if (this.#recent.length < MOST_RECENT) this.#recent.push(claim)
    if (page !== this.#readPage() - 1) this.#left++
    if (this.#left === 0) return
    if (this.#count === 0 || this.#left * LOOKS_A_PAGE >= this.#table.high) this.#freePages()
  }

  /** The item is another's to take. */
  giveBack(claim: number): void {
    this.#count--
    // CRASH: dying before the count or the wake: a death is a reason to look, and rings everybody.
    this.#table.store(claim, CLAIM.state, CLAIM_STATE.returned)
    Atomics.add(this.#session.words, this.#base + QUEUE.returns, 1)
    this.#ring.notEmpty.wakeOne()
  }

  /** How many items wait to be delivered again. */
  countOrphans(): number {
    return this.#orphans.count()
  }

  hasOrphans(): boolean {
    return this.#orphans.any()
  }

  /**
   * Whether nothing is taken and not done.
   *
   * SYNC: to be asked after the ring was seen empty: then whatever had been put by that time has a claim already, or is
   * done, and a claim goes from one taker to the next without being free in between.
   */
  isIdle(): boolean {
    const { high } = this.#table
    // From the last one that was in use, so that many who ask while many are finished look at each only once.
    for (let n = 0; n < high; n++) {
      const claim = (this.#witness + n) % high
      if (this.#table.load(claim, CLAIM.state) === CLAIM_STATE.free) continue
      this.#witness = claim
      return false
    }
    return true
  }

  /** Makes the claim of the ring's next item, in the readers' lock. @internal */
  keep(number: number, page: number, offset: number): boolean {
    const { words, agent } = this.#session
    const claim = this.#freeClaim(number)
    if (claim < 0) return false
    if (claim >= this.#table.high) this.#table.high = claim + 1
    // CRASH: until the ring commits, this claim is void, and is the one that the next taker uses.
    Atomics.store(words, this.#base + QUEUE.claiming, claim + 1)
    this.#table.store(claim, CLAIM.number, number)
    this.#table.store(claim, CLAIM.page, page)
    this.#table.store(claim, CLAIM.delivery, (1 << 16) | offset)
    this.#table.store(claim, CLAIM.state, agent.tag)
    this.#made = claim
    if (page !== this.#lastPage) this.#left++
    this.#lastPage = page
    return true
  }

  /** @internal */
  refusal(): Error {
    if (this.#table.high < MAX_CLAIMS) {
      return new OutOfSharedMemoryError(
        'There is no shared memory left to note who has taken an item, so none was taken: finish some of those that are taken (taskDone)',
      )
    }
    return new MultiprocessingError(
      'ERR_MP_TOO_MANY_TAKEN',
      `${MAX_CLAIMS} items of the queue are taken and not done, which is its limit: finish some (taskDone) before more are taken`,
    )
  }

  #takeFirst(takeNext: () => Uint8Array<ArrayBuffer> | null): TakenItem | null {
    this.#made = -1
    try {
      const message = takeNext()
      if (message === null) return null
      this.#count++
      return taken(this.#made, message, 0)
    } catch (error) {
      this.#undo()
      throw error
    }
  }

  /** The stack or the heap came to its end within `takeNext`: if the item was taken after all, it goes back. */
  #undo(): void {
    const claim = this.#made
    if (claim < 0 || this.#table.load(claim, CLAIM.number) === this.#ring.taken) return
    this.#count++
    this.giveBack(claim)
  }

  #takeAgain(): TakenItem | null {
    for (;;) {
      const claim = this.#orphans.next()
      if (claim < 0) return null
      if (!this.#signAgain(claim)) continue
      this.#count++
      try {
        const delivery = this.#table.load(claim, CLAIM.delivery)
        // CRASH: counted after it was signed: whoever dies in between has not seen the item.
        const deliveries = Math.min((delivery >>> 16) + 1, MOST_DELIVERIES)
        this.#table.store(claim, CLAIM.delivery, (deliveries << 16) | (delivery & 0xffff))
        const page = this.#table.load(claim, CLAIM.page)
        return taken(claim, readKept(this.#session, page, delivery & 0xffff), deliveries - 1)
      } catch (error) {
        this.giveBack(claim)
        throw error
      }
    }
  }

  /** Takes over a claim, if it still is an orphan. */
  #signAgain(claim: number): boolean {
    const { readLock } = this.#ring
    readLock.lock()
    const isOrphan = this.#orphans.has(claim)
    if (isOrphan) this.#table.store(claim, CLAIM.state, this.#session.agent.tag)
    readLock.unlock()
    return isOrphan
  }

  /** A claim that is free, or void; −1 when there is none. In the readers' lock; `number` is the ring's next item. */
  #freeClaim(number: number): number {
    const { words } = this.#session
    const table = this.#table
    const last = Atomics.load(words, this.#base + QUEUE.claiming) - 1
    if (last >= 0 && table.load(last, CLAIM.state) !== CLAIM_STATE.free) {
      if (table.load(last, CLAIM.number) === number) {
        table.store(last, CLAIM.state, CLAIM_STATE.free)
        return last
      }
    }
    for (let claim = this.#recent.pop(); claim !== undefined; claim = this.#recent.pop()) {
      if (table.load(claim, CLAIM.state) === CLAIM_STATE.free) return claim
    }
    const { high } = table
    if (high < MAX_CLAIMS && table.reserve(high)) return high
    for (let claim = 0; claim < high; claim++) {
      if (table.load(claim, CLAIM.state) === CLAIM_STATE.free) return claim
    }
    return -1
  }

  /** Frees the pages that readers have left and no claim lies in; and forgets the free end of the table. */
  #freePages(): void {
    const { words, pages } = this.#session
    this.#left = 0
    this.#pinned ??= new Uint32Array((pages.count + 31) >>> 5)
    const { readLock } = this.#ring
    readLock.lock()
    this.#pin(this.#pinned)
    const current = this.#readPage()
    const oldest = this.#base + QUEUE.oldestPage
    let previous = -1
    let page =
      Atomics.load(words, oldest) || Atomics.load(words, this.#base + QUEUE.ring + RING.firstPage)
    while (page !== 0 && page !== current && current !== 0) {
      const index = page - 1
      const data = pages.windowWords(index)
      page = Atomics.load(data, pages.offset(index) >>> 2)
      if ((this.#pinned[index >>> 5] & (1 << (index & 31))) !== 0) {
        previous = index
        continue
      }
      if (previous < 0) Atomics.store(words, oldest, page)
      else Atomics.store(pages.windowWords(previous), pages.offset(previous) >>> 2, page)
      // CRASH: dying in between leaves one page with the queue's mark: it is freed with the queue.
      pages.arena.free(index, 1)
    }
    readLock.unlock()
  }

  /** Marks the pages of all claims; in the readers' lock. */
  #pin(pinned: Uint32Array): void {
    const table = this.#table
    pinned.fill(0)
    let high = 0
    const end = table.high
    for (let claim = 0; claim < end; claim++) {
      if (table.load(claim, CLAIM.state) === CLAIM_STATE.free) continue
      const page = table.load(claim, CLAIM.page)
      pinned[page >>> 5] |= 1 << (page & 31)
      high = claim + 1
    }
    if (high !== end) table.high = high
  }

  /** The page that readers are in + 1; 0 before the first. */
  #readPage(): number {
    const { words } = this.#session
    const ring = this.#base + QUEUE.ring
    const side = Atomics.load(words, ring + RING.head) & 1
    return Atomics.load(words, ring + RING.readPositions + side * POSITION_WORDS)
  }

  #offset(claim: number): number {
    return this.#table.load(claim, CLAIM.delivery) & 0xffff
  }
}

function taken(claim: number, wrapped: Uint8Array<ArrayBuffer>, redelivered: number): TakenItem {
  const { message, copies } = unwrap(wrapped)
  return { hold: { claim, copies }, message, redelivered }
}
