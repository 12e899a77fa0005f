/**
 * Stands in for the core's `session.js`: joins an agent to the explored world instead of a real session.
 *
 * @module
 */
import {
  AT,
  Agent,
  Arena,
  Directory,
  HEADER,
  Lifetime,
  MemoryWaits,
  Reaper,
  SLOT,
  SLOT_STATE,
  type Session,
  Waiting,
  makeTag,
  recoverTakings,
  slotWord,
} from '@mp/shared-memory/internal'
import { makePages } from './data.js'
import type { Host } from './host.js'
import { makeRuns } from './native.js'

declare const host: Host

const GENERATION = 1
const UNITS = 4096
const PAGES = 64

/** The session of the agent that runs. */
export function session(): Session {
  if (host.session === undefined) throw new Error('No agent runs')
  return host.session
}

export function hasSession(): boolean {
  return host.session !== undefined
}

export function joinSession(): Session {
  throw new Error('Agents of the explorer join by `join`')
}

export function prepareSession(): void {
  throw new Error('There are no forks in the explorer')
}

export function leaveUnseen(): void {
  prepareSession()
}

/** Lays the slots of agents, from one up to but not including another. */
export function layOut(from: number, to: number): void {
  const { words } = host
  Atomics.store(words, HEADER.highSlot, to)
  for (let slot = from; slot < to; slot++) {
    Atomics.store(words, slotWord(slot) + SLOT.state, (GENERATION << 8) | SLOT_STATE.live)
    Atomics.store(words, slotWord(slot) + SLOT.pid, 1000 + slot)
  }
}

/** Makes the session of the agent in a slot, as if it had just joined. */
export function join(slot: number): Session {
  const { words, platform } = host
  const agent = new Agent(words, platform, slot, makeTag(slot, GENERATION))
  const units = new Arena(agent, AT.unitTable, UNITS, HEADER.unitRotor, HEADER.highUnit)
  const pages = makePages(
    new Arena(agent, AT.pageTable, PAGES, HEADER.pageRotor, HEADER.highPage, 'all'),
    PAGES,
    host.data,
  )
  const memory = new MemoryWaits(agent)
  pages.arena.onFreed = memory.wake
  const lifetime = new Lifetime(agent, units, pages.arena)
  const directory = new Directory(agent, units, lifetime)
  const reaper = new Reaper(agent, platform, directory, [units, pages.arena])
  recoverTakings(reaper, words, units, pages.arena)
  let listening = false
  let deaths: number | undefined
  const waiting: Waiting = new Waiting(agent, {
    start() {
      if (listening) return
      listening = true
      platform.listen(agent.bell(), () => waiting.onBell())
    },
    setPending() {},
    noticeDeaths(probe) {
      const now = Atomics.load(words, HEADER.deaths)
      if (now === deaths && !probe) return false
      deaths = now
      reaper.reapAll()
      return true
    },
    mustProbe: () => false,
  })
  return (host.session = {
    agent,
    words,
    waiting,
    directory,
    lifetime,
    pages,
    memory,
    reaper,
    native: makeRuns(host),
  } as unknown as Session)
}
