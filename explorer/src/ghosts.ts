/**
 * What programs note for the explorer alone: counters, and who is in which section.
 *
 * Ghosts are words beside the session's, part of the state, that change together
 * with the step before: they say what is so without being a step themselves.
 *
 * @module
 */
import { Violation } from './host.js'
import type { Helper } from './scenario.js'
import { makeSignal } from './signal.js'

/** Where the ghosts of each kind begin. */
const COUNTERS = 0
const SECTIONS = 32
const TOUCHED = 48

/** What ghosts need of the agent that runs. */
export interface GhostAccess {
  isAlive(slot: number): boolean
  /** Runs `act` as part of the last step, and once only: what it gives is remembered. */
  atOnce(act: () => number): number
  read(ghost: number): number
  write(ghost: number, value: number): void
  /** Makes a step that others can see. */
  touch(ghost: number): void
  /** Lets `abort` be called whenever the event loop is free. */
  abortable(abort: () => void): void
}

/** Makes the helper of an agent. */
export function makeHelper(me: number, access: GhostAccess): Helper {
  const { atOnce, read, write, isAlive } = access
  const inside = (section: number): number[] => {
    const bits = read(SECTIONS + section)
    return Array.from({ length: 32 }, (_, slot) => slot).filter(
      (slot) => (bits & (1 << slot)) !== 0,
    )
  }
  return {
    me,
    enter: (section, room = 1) =>
      atOnce(() => {
        const others = inside(section)
        const living = others.filter(isAlive)
        if (living.length >= room) {
          throw new Violation(`agents ${[...living, me].join()} are in section ${section}`)
        }
        write(
          SECTIONS + section,
          living.reduce((bits, slot) => bits | (1 << slot), 1 << me),
        )
        return others.length > living.length ? 1 : 0
      }) === 1,
    leave: (section) => {
      // So that others come while this agent is inside, and it may die there.
      access.touch(TOUCHED + section)
      atOnce(() => {
        write(SECTIONS + section, read(SECTIONS + section) & ~(1 << me))
        return 0
      })
    },
    isInside: (section) => atOnce(() => (inside(section).some(isAlive) ? 1 : 0)) === 1,
    count: (counter, n = 1) =>
      atOnce(() => {
        const old = read(COUNTERS + counter)
        write(COUNTERS + counter, old + n)
        return old
      }),
    counted: (counter) => atOnce(() => read(COUNTERS + counter)),
    expect: (isSo, what) => {
      if (!isSo) throw new Violation(`not so: ${what}`)
    },
    signal: () => {
      const { signal, abort } = makeSignal()
      access.abortable(abort)
      return signal
    },
  }
}
