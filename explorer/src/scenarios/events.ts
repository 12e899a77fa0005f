/**
 * Events: whoever waits goes on once it is set, also by somebody who dies half-way, and when it was only a pulse.
 *
 * @module
 */
import { Event } from '@mp/sync'
import { type Link, type Scenario, link, open } from '../scenario.js'

const sync: Scenario<Link> = {
  name: 'event-sync',
  agents: 2,
  setUp: () => link(new Event()),
  program: (shared, helper) => {
    const event = open(Event, shared)
    return () => {
      if (helper.me === 0) event.set()
      else helper.expect(event.waitSync(), 'a wait without timeout ends by the event alone')
    }
  },
  mayWait: (shared, { killed }) => killed[0] === true && !open(Event, shared).isSet(),
}

const async: Scenario<Link> = {
  ...sync,
  name: 'event-async',
  program: (shared, helper) => {
    const event = open(Event, shared)
    if (helper.me === 0) return () => event.set()
    return async () => {
      helper.expect(await event.wait(), 'a wait without timeout ends by the event alone')
    }
  },
}

/** A waiter that waits already goes on, though the flag is down when it looks. */
const pulse: Scenario<Link> = {
  ...sync,
  name: 'event-pulse',
  mortals: [],
  program: (shared, helper) => {
    const event = open(Event, shared)
    if (helper.me === 1) return () => void event.waitSync()
    return () => {
      event.set()
      event.clear()
      event.set()
    }
  },
}

const timeout: Scenario<Link> = {
  ...sync,
  name: 'event-timeout',
  jumps: 1,
  usesTime: true,
  program: (shared, helper) => {
    const event = open(Event, shared)
    return () => {
      if (helper.me === 0) event.set()
      else event.waitSync({ timeout: 20 })
    }
  },
}

/** Set and cleared once: who waits by then goes on, though the flag is down when it looks. */
const pulseOnce: Scenario<Link> = {
  ...sync,
  name: 'event-pulse-once',
  mortals: [],
  program: (shared, helper) => {
    const event = open(Event, shared)
    if (helper.me === 1) return () => void event.waitSync()
    return () => {
      const isAwaited = Atomics.load(event.session.words, event.handle.base + WAITERS) !== 0
      event.set()
      if (isAwaited) helper.count(MUST_END)
      event.clear()
    }
  },
  mayWait: (_shared, { helper }) => helper.counted(MUST_END) === 0,
}

const MUST_END = 0
/** Where an event has its wait set. */
const WAITERS = 16

/** One setter may be stopped between the flag and the wakes: the other must wake all the same. */
const twoSetters: Scenario<Link> = {
  ...sync,
  name: 'event-two-setters-3',
  agents: 3,
  program: (shared, helper) => {
    const event = open(Event, shared)
    if (helper.me === 2) return () => void event.waitSync()
    return () => event.set()
  },
}

export const events: readonly Scenario<Link>[] = [
  sync,
  async,
  pulse,
  timeout,
  pulseOnce,
  twoSetters,
  { ...sync, name: 'event-sync-3', agents: 3 },
  { ...async, name: 'event-async-3', agents: 3 },
]
