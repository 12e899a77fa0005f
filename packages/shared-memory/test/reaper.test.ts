/** Reaping, interrupted at every step. */
import {
  AT,
  ENTRY,
  ENTRY_WORDS,
  GRAVES,
  GRAVE_WORDS,
  HEADER,
  OBJECT_TYPE,
  PARKED,
  SLOT,
  SLOT_STATE,
  WAIT_SET_WORDS,
  isDead,
  makeTag,
  raise,
  session,
  slotWord,
} from '@mp/shared-memory/internal'
import { afterEach, expect, test } from 'vitest'

const { words, agent, directory, pages, reaper } = session()
/** No such process: what the dead leave is made by hand. */
const PID = 0x7fff0000

const originals = { ...pick() }
afterEach(() => void Object.assign(Atomics, originals))

function pick(): Pick<
  typeof Atomics,
  'store' | 'add' | 'and' | 'or' | 'exchange' | 'compareExchange'
> {
  const { store, add, and, or, exchange, compareExchange } = Atomics
  return { store, add, and, or, exchange, compareExchange }
}

class Killed extends Error {}

/** Lets the writing operation of that number be the last: the death of a reaper, all but its process. */
function dieAfter(steps: number): void {
  let left = steps
  for (const [name, original] of Object.entries(originals)) {
    Object.assign(Atomics, {
      [name]: (...args: never[]): unknown => {
        if (left === 0) throw new Killed()
        left--
        return (original as (...args: never[]) => unknown)(...args)
      },
    })
  }
}

interface Dead {
  readonly slot: number
  readonly tag: number
  readonly page: number
  readonly entry: number
}

/** A dead agent that holds a page, waits at the object, and was making another object. */
function leaveBehind(object: { index: number; base: number }): Dead {
  const slot = agent.highSlot()
  const at = slotWord(slot)
  const generation = (Atomics.load(words, at + SLOT.state) >>> 8) + 1
  const tag = makeTag(slot, generation)
  raise(words, HEADER.highSlot, slot + 1)
  Atomics.store(words, at + SLOT.pid, PID + generation)
  Atomics.store(words, at + SLOT.parked, PARKED.async)
  Atomics.store(words, at + SLOT.state, (generation << 8) | SLOT_STATE.live)
  const holders = AT.directory + object.index * ENTRY_WORDS + ENTRY.holders
  for (const set of [object.base + 8, object.base + 8 + WAIT_SET_WORDS, holders]) {
    Atomics.or(words, set + (slot >>> 5), 1 << (slot & 31))
  }
  const page = pages.arena.take(2)
  for (const taken of [page, page + 1]) Atomics.store(words, AT.pageTable + taken, tag)
  const { index } = directory.create({ type: OBJECT_TYPE.lock, words: 64 }, () => {})
  const entry = AT.directory + index * ENTRY_WORDS
  Atomics.store(words, entry, tag)
  return { slot, tag, page, entry }
}

function expectRecovered(dead: Dead, object: { index: number; base: number }): void {
  const { slot, tag, page, entry } = dead
  expect(Atomics.load(words, slotWord(slot) + SLOT.state) & 0xff).toBe(SLOT_STATE.free)
  expect(Atomics.load(words, slotWord(slot) + SLOT.parked)).toBe(0)
  expect(isDead(words, tag)).toBe(true)
  expect(reaper.lookUp(tag)).toEqual({ pid: PID + (tag >>> 12), reason: 'killed' })
  const holders = AT.directory + object.index * ENTRY_WORDS + ENTRY.holders
  for (const set of [object.base + 8, object.base + 8 + WAIT_SET_WORDS, holders]) {
    expect(Atomics.load(words, set + (slot >>> 5)) & (1 << (slot & 31))).toBe(0)
  }
  expect([pages.arena.owner(page), pages.arena.owner(page + 1)]).toEqual([0, 0])
  expect(Atomics.load(words, entry)).toBe(0)
}

test('a reaper that dies at any step is followed by one that finishes', () => {
  const shape = { type: OBJECT_TYPE.queue, words: 64, sets: 8, setCount: 2 }
  const object = directory.create(shape, () => {})
  let recoveries = 0
  reaper.recoverers.set(OBJECT_TYPE.queue, () => recoveries++)
  let steps = 0
  for (let isOver = false; !isOver; steps++) {
    const dead = leaveBehind(object)
    recoveries = 0
    dieAfter(steps)
    try {
      reaper.reapAll()
      isOver = true
    } catch (error) {
      if (!(error instanceof Killed)) throw error
    }
    Object.assign(Atomics, originals)
    const deaths = Atomics.load(words, HEADER.deaths)
    const bell = agent.bell()
    const isFree =
      (Atomics.load(words, slotWord(dead.slot) + SLOT.state) & 0xff) === SLOT_STATE.free
    reaper.reapAll()
    expectRecovered(dead, object)
    expect(recoveries).toBeGreaterThan(0)
    if (isFree) continue
    // Whoever was rung by the first may have looked too early.
    expect(Atomics.load(words, HEADER.deaths)).toBeGreaterThan(deaths)
    expect(agent.bell()).not.toBe(bell)
  }
  // So many writes there are at least: fewer would mean that the loop has ended too soon.
  expect(steps).toBeGreaterThan(20)
})

test('a grave that two reapers have written to at once tells nobody the wrong thing', () => {
  const object = directory.create(
    { type: OBJECT_TYPE.queue, words: 64, sets: 8, setCount: 2 },
    () => {},
  )
  const dead = leaveBehind(object)
  reaper.reapAll()
  expectRecovered(dead, object)
  for (let n = 0; n < GRAVES; n++) {
    const grave = AT.graves + n * GRAVE_WORDS
    if (Atomics.load(words, grave) === dead.tag) Atomics.store(words, grave + 1, PID)
  }
  expect(reaper.lookUp(dead.tag)).toBeUndefined()
})
