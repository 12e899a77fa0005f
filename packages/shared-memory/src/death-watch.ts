/**
 * Who hears of whose death.
 *
 * Whoever starts a process watches it (by a pidfd, on a native thread, so that a
 * busy event loop does not matter). When the watcher dies, whoever reaps it
 * adopts those that it watched: a process may live a little longer than its
 * parent, and what it holds then must not be waited for in vain.
 *
 * What is promised: an agent that waits hears of every death in another process.
 * All watching processes announce deaths to all agents, so let A be one that
 * waits, and X a process other than A's and the root, with which all others end.
 * Claim: as long as X lives, X is watched by a living process, or there is an
 * announcement that A has not answered yet. A answers by `reapAll()`, when it
 * begins to wait (it remembers which announcements it has answered) and whenever
 * it is rung.
 *
 * 1. X joins. Its watcher is its starter, which watches it from its very start.
 *    If the starter is dead by then, X sees that after it has made itself known,
 *    and announces (SYNC in `session.ts`).
 * 2. The watcher W of X dies. Before, by the claim, W was watched by a living
 *    process, which announces the death; or A had an announcement to answer.
 * 3. A answers. It reaps all who are dead, whoever was announced, and adopts every
 *    X whose watcher is dead. If another agent was faster, that one is the watcher
 *    now, and lived then: the claim holds, or 2 applies to it.
 * 4. Somebody dies half-way through 3. It was the watcher already: 2. Or not yet:
 *    X still has a dead watcher, and what A does does not depend on others.
 *    A itself is a thread that is terminated: nobody waits any more.
 * 5. X dies. It is watched: its watcher announces it, and A reaps X. Or A has an
 *    announcement to answer, and finds X in step 3, dead.
 *
 * So no chain of deaths is too long, and each wait needs only its own agent and
 * the native thread of somebody alive. Where a process cannot be watched (no
 * pidfds, no descriptors left), a word tells the session to be `blind`: then
 * asynchronous waiters look for deaths every 100 ms, as blocked ones always do.
 *
 * A process that is stopped (SIGSTOP) announces the deaths that it has to watch for
 * when it goes on or is killed; until then blocked waiters find them by looking.
 *
 * @module
 */
import type { Agent } from './agent.js'
import { HEADER, SLOT, SLOT_STATE, slotWord } from './layout.js'
import { isDead } from './tag.js'

/** What watching needs of the operating system. */
export interface Watcher {
  watch(pid: number): number | null
  unwatch(watch: number): void
  /** Whether the liveness byte of a slot is free. */
  probe(slot: number): boolean
  /** The process that this code runs in. */
  pid(): number
}

export class DeathWatch {
  readonly #agent: Agent
  readonly #watcher: Watcher

  constructor(agent: Agent, watcher: Watcher) {
    this.#agent = agent
    this.#watcher = watcher
  }

  /** Whether some process in the session cannot be watched, so that waiters have to look for themselves. */
  isBlind(): boolean {
    return Atomics.load(this.#agent.words, HEADER.blind) !== 0
  }

  /**
   * Watches a process that this agent has just started, before anything else can happen to it.
   *
   * @returns what `unwatch` takes; null where that is impossible: the session is blind from then on.
   */
  watch(pid: number): number | null {
    try {
      const watch = this.#watcher.watch(pid)
      if (watch !== null) return watch
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EMFILE' && code !== 'ENFILE' && code !== 'ENOMEM' && code !== 'EAGAIN') {
        throw error
      }
    }
    this.#goBlind()
    return null
  }

  /** Ends a watch; nothing happens when it has ended by itself. */
  unwatch(watch: number): void {
    this.#watcher.unwatch(watch)
  }

  /**
   * Watches every process whose watcher is dead.
   *
   * @returns whether one of them turned out to be dead, and has to be reaped.
   */
  adoptOrphans(): boolean {
    let metDead = false
    const end = this.#agent.highSlot()
    for (let slot = 0; slot < end; slot++) {
      if (this.#isOrphan(slot) && !this.#adopt(slot)) metDead = true
    }
    return metDead
  }

  /** Whether the slot holds a process that nobody watches. Threads end with their process, which has a slot too. */
  #isOrphan(slot: number): boolean {
    const { words } = this.#agent
    const at = slotWord(slot)
    const state = Atomics.load(words, at + SLOT.state) & 0xff
    // One that is joining sees for itself that its watcher is dead.
    if (state !== SLOT_STATE.live && state !== SLOT_STATE.exiting) return false
    const watcher = Atomics.load(words, at + SLOT.watcher)
    if (watcher === 0 || Atomics.load(words, at + SLOT.thread) !== 0) return false
    return isDead(words, watcher) && Atomics.load(words, at + SLOT.pid) !== this.#watcher.pid()
  }

  /** Becomes the watcher of the process in a slot; false when that is dead. */
  #adopt(slot: number): boolean {
    const { words, tag } = this.#agent
    const at = slotWord(slot)
    const state = Atomics.load(words, at + SLOT.state)
    const orphaner = Atomics.load(words, at + SLOT.watcher)
    const watch = this.watch(Atomics.load(words, at + SLOT.pid))
    // The pid may have been somebody else's by now; but who has the byte still was not dead when it was watched.
    const isThere = Atomics.load(words, at + SLOT.state) === state
    const hasByte = !this.#watcher.probe(slot)
    // SYNC: watched first, then signed: whoever reads our tag need not watch. CRASH: dying before leaves an orphan,
    // dying after it makes one; either is adopted by whoever hears of us.
    const isOurs =
      isThere &&
      hasByte &&
      Atomics.compareExchange(words, at + SLOT.watcher, orphaner, tag) === orphaner
    if (!isOurs && watch !== null) this.unwatch(watch)
    // It has no pid any more, and nobody will tell when what it leaves lets go of its byte.
    if (isOurs && watch === 0) this.#goBlind()
    return hasByte || !isThere
  }

  /** CRASH: dying before this makes an orphan of the process that we could not watch. */
  #goBlind(): void {
    if (Atomics.exchange(this.#agent.words, HEADER.blind, 1) === 0) this.#agent.ringAll()
  }
}
