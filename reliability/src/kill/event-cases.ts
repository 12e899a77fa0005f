/**
 * Deaths in an `Event`: it holds nothing, so it is up or down, and whoever it lets go must go.
 *
 * @module
 */
import { Event } from '@mp/sync'
import { type Form, type KillCase, type Round, type Running, assert } from './case.js'

interface Objects {
  event: Event
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000

async function wait({ event }: Objects, form: Form): Promise<void> {
  const options = { timeout: LIMIT_MS }
  const isUp = form === 'sync' ? event.waitSync(options) : await event.wait(options)
  if (!isUp) throw new Error('the event was not seen')
}

async function beginWaits(round: Round<Objects>): Promise<Running[]> {
  const runs = round.others.map((who) => round.begin(who, 'wait'))
  for (const run of runs) await round.waits(run, round.objects.event)
  return runs
}

/** It works as if the victim had never been. */
async function check(round: Round<Objects>): Promise<void> {
  const { event } = round.objects
  event.clear()
  assert(!event.isSet(), 'it is up after clear()')
  assert(!event.waitSync({ timeout: 1 }), 'a wait ends though it is down')
  const runs = await beginWaits(round)
  event.set()
  round.freed()
  for (const run of runs) await round.settled(run)
  assert(event.isSet(), 'it is down after set()')
}

interface Plot {
  readonly what: string
  readonly prepare?: (event: Event) => unknown
  readonly operate: (event: Event) => unknown
  /** `alone`; `awaited`: others wait for what the victim does; `waiting`: the victim waits beside them, this process sets. */
  readonly scene: 'alone' | 'awaited' | 'waiting'
  /** What it is once the operation is over. */
  readonly isSet: boolean
}

const aborted = new Error('aborted')

const plots: readonly Plot[] = [
  { what: 'set', operate: (event) => event.set(), scene: 'alone', isSet: true },
  {
    what: 'set, when it is up',
    prepare: (event) => event.set(),
    operate: (event) => event.set(),
    scene: 'alone',
    isSet: true,
  },
  {
    what: 'clear',
    prepare: (event) => event.set(),
    operate: (event) => event.clear(),
    scene: 'alone',
    isSet: false,
  },
  {
    what: 'set for those who wait',
    operate: (event) => event.set(),
    scene: 'awaited',
    isSet: true,
  },
  {
    what: 'set and clear for those who wait',
    operate(event) {
      event.set()
      event.clear()
    },
    scene: 'awaited',
    isSet: false,
  },
  { what: 'waitSync', operate: (event) => event.waitSync(), scene: 'waiting', isSet: true },
  { what: 'wait', operate: (event) => event.wait(), scene: 'waiting', isSet: true },
  {
    what: 'waitSync that times out',
    operate: (event) => event.waitSync({ timeout: 5 }),
    scene: 'waiting',
    isSet: true,
  },
  {
    what: 'wait that times out',
    operate: (event) => event.wait({ timeout: 5 }),
    scene: 'waiting',
    isSet: true,
  },
  {
    what: 'wait that is aborted',
    async operate(event) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(aborted), 4)
      try {
        await event.wait({ signal: controller.signal })
      } catch (error) {
        if (error !== aborted) throw error
      }
    },
    scene: 'waiting',
    isSet: true,
  },
]

async function playAwaited(round: Round<Objects>): Promise<void> {
  const { event } = round.objects
  const runs = await beginWaits(round)
  round.go()
  await round.death()
  // Before the first step it was not put up, and they wait on.
  if (round.k === 1 && !round.ended) {
    event.set()
    round.freed()
  }
  for (const run of runs) await round.settled(run)
}

async function playWaiting(round: Round<Objects>): Promise<void> {
  const { event } = round.objects
  const isFirst = round.k % 2 === 0
  if (isFirst) {
    round.go()
    await round.victimWaitsOrDies()
  }
  const runs = await beginWaits(round)
  if (!isFirst) {
    round.go()
    await round.victimWaitsOrDies()
  }
  event.set()
  round.freed()
  await round.death()
  for (const run of runs) await round.settled(run)
}

function makeCase(plot: Plot): KillCase<Objects> {
  const { prepare, operate, scene } = plot
  return {
    name: `Event: ${plot.what}`,
    make: () => ({ event: new Event() }),
    ...(prepare !== undefined && { prepare: ({ event }: Objects) => prepare(event) }),
    operate: ({ event }) => operate(event),
    acts: { wait },
    async play(round) {
      if (scene === 'alone') {
        round.go()
        await round.death()
      } else if (scene === 'awaited') await playAwaited(round)
      else await playWaiting(round)
      const isSet = round.objects.event.isSet()
      if (round.ended) assert(isSet === plot.isSet, `it is ${isSet ? 'up' : 'down'} afterwards`)
      await check(round)
    },
  }
}

export const eventCases: readonly KillCase<Objects>[] = plots.map(makeCase)
