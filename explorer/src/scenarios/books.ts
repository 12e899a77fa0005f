/**
 * The books of threads without the addon: whoever tells of a death, and dies while it tells, the slots of the dead can be
 * had and somebody hears of it; and whoever comes meanwhile keeps what it has noted.
 *
 * The books are words beside the session's. Threads here have numbers of their own, for an agent of the explorer
 * stands for the thread that tells, and not for the one that is told of.
 *
 * @module
 */
import {
  BOOK,
  HEADER,
  MAX_AGENTS,
  SLOT,
  SLOT_STATE,
  giveSlot,
  leave,
  noteStarter,
  session,
  slotWord,
  takeSlot,
} from '@mp/shared-memory/internal'
import { ORIGIN } from '../builtins.js'
import type { Host } from '../host.js'
import type { Scenario } from '../scenario.js'

declare const host: Host

/** Where the books lie: no session has so many words. */
const books = { [ORIGIN]: 1 << 28 } as unknown as Int32Array

/** The thread that has died, the one that had started it, two that tell, and two that come. */
const DEAD = 50
const STARTER = 60
const TELLERS = [101, 102] as const
const REAPER = 103
const NEWCOMER = 70
const ITS_STARTER = 71

const DEAD_SLOT = 5
const NEW_SLOT = 4
/** States of the slot, with the number of its user. */
const LIVE = (1 << 8) | SLOT_STATE.live
const FREE = (1 << 8) | SLOT_STATE.free
const LIVE_ANEW = (2 << 8) | SLOT_STATE.live

function stateAt(slot: number): number {
  return slotWord(slot) + SLOT.state
}

/** A thread that has a slot, and is noted as another one's. */
function enter(slot: number, thread: number, starter: number): void {
  takeSlot(books, slot, thread)
  Atomics.store(session().words, stateAt(slot), LIVE)
  noteStarter(books, thread, starter)
}

function announce(): void {
  Atomics.add(session().words, HEADER.deaths, 1)
  session().agent.ringAll()
}

/** Tells of a thread's end, as whoever hears of it by its event loop does. */
function tell(thread: number, by: number): void {
  if (leave(session().words, books, thread, by)) announce()
}

/** Sleeps until something is so; only a ring makes it look again. */
function sleepUntil(isSo: () => boolean): void {
  const { agent } = session()
  for (;;) {
    const seen = agent.bell()
    if (isSo()) return
    agent.sleep(seen, Infinity)
  }
}

const OVER = 0

/** Agents 0 and 1 tell of one death, and agent 1 tells of agent 0's; agent 2 needs the slot, and takes it anew. */
const twice: Scenario<null> = {
  name: 'books-twice-3',
  agents: 3,
  mortals: [0],
  setUp: () => {
    enter(DEAD_SLOT, DEAD, STARTER)
    return null
  },
  program: (_shared, helper) => {
    const { words, agent } = session()
    if (helper.me === 0) {
      return () => {
        tell(DEAD, TELLERS[0])
        helper.count(OVER)
        agent.ring(1)
      }
    }
    if (helper.me === 1) {
      return () => {
        tell(DEAD, TELLERS[1])
        let isDead = false
        sleepUntil(() => {
          if (helper.counted(OVER) === 1) return true
          isDead = host.platform.claim(0)
          return isDead
        })
        if (isDead) tell(TELLERS[0], TELLERS[1])
      }
    }
    return () => {
      sleepUntil(() => takeSlot(books, DEAD_SLOT, -REAPER))
      Atomics.store(words, stateAt(DEAD_SLOT), FREE)
      giveSlot(books, DEAD_SLOT, -REAPER)
      helper.expect(takeSlot(books, DEAD_SLOT, REAPER), 'a slot that was freed can be taken')
      Atomics.store(words, stateAt(DEAD_SLOT), LIVE_ANEW)
    }
  },
  check: (_shared, { helper }) => {
    const { words } = session()
    const state = Atomics.load(words, stateAt(DEAD_SLOT))
    helper.expect(state === LIVE_ANEW, 'who took the slot anew is not taken for the dead one')
    helper.expect(Atomics.load(books, BOOK.holders + DEAD_SLOT) === REAPER, 'and has it')
  },
}

/** Agents 0 and 1 tell of a starter's death; agent 2 is a thread of another starter that comes meanwhile. */
const rows: Scenario<null> = {
  name: 'books-rows-3',
  agents: 3,
  mortals: [0, 2],
  setUp: () => {
    enter(DEAD_SLOT, DEAD, STARTER)
    return null
  },
  program: (_shared, helper) => {
    if (helper.me < 2) {
      return () => void leave(session().words, books, STARTER, TELLERS[helper.me as 0 | 1])
    }
    return () => {
      helper.expect(noteStarter(books, NEWCOMER, ITS_STARTER), 'there is room')
      takeSlot(books, NEW_SLOT, NEWCOMER)
    }
  },
  check: (_shared, { helper }) => {
    const { words } = session()
    // Then the newcomer ends with its starter, and so do those who told.
    for (const thread of [ITS_STARTER, ...TELLERS]) leave(words, books, thread, REAPER)
    for (const slot of [DEAD_SLOT, NEW_SLOT]) {
      const holder = Atomics.load(books, BOOK.holders + slot)
      helper.expect(holder === 0, `slot ${slot} can be had, and not ${holder} has it`)
    }
    for (let word = BOOK.rows; word < BOOK.rows + 2 * MAX_ROWS; word++) {
      helper.expect(Atomics.load(books, word) === 0, `nothing is left in word ${word} of the rows`)
    }
  },
}

/** Agent 0 is the starter and tells of its own thread's end; agent 1 is one that it starts then, and needs the row. */
const own: Scenario<null> = {
  name: 'books-own-row',
  agents: 2,
  setUp: () => {
    enter(DEAD_SLOT, DEAD, STARTER)
    return null
  },
  program: (_shared, helper) => {
    if (helper.me === 0) return () => tell(DEAD, STARTER)
    return () => helper.expect(noteStarter(books, NEWCOMER, STARTER), 'there is room')
  },
  check: (_shared, { helper, killed }) => {
    const rowsOf = (word: 0 | 1): number[] =>
      Array.from({ length: MAX_ROWS }, (_, row) =>
        Atomics.load(books, BOOK.rows + 2 * row + word),
      ).filter((number) => number !== 0)
    if (killed.includes(true)) return
    helper.expect(rowsOf(0).join() === String(NEWCOMER), 'the newcomer is noted, and nobody else')
    helper.expect(rowsOf(1).join() === String(STARTER), 'as one of its starter')
    leave(session().words, books, STARTER, REAPER)
    helper.expect(rowsOf(0).length + rowsOf(1).length === 0, 'nothing is left of both')
  },
}

/** As many as there are in the bundle; `bundle.ts` has fewer agents than a session. */
const MAX_ROWS = Math.min(MAX_AGENTS, 2)

export const bookkeeping: readonly Scenario<null>[] = [twice, rows, own]
