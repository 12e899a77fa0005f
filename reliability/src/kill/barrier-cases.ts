/**
 * Deaths in a `Barrier`: the others pass, or are told that it is broken. Nobody waits for the dead.
 *
 * A party that dies before it has come is not missed by the barrier while others could come: then this process does.
 *
 * @module
 */
import { session } from '@mp/shared-memory/internal'
import { Barrier, BrokenBarrierError } from '@mp/sync'
import { type Form, type KillCase, type Round, type Running, assert } from './case.js'
import { sorted } from '../sorted.js'

interface Objects {
  barrier: Barrier
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000
/** How long the parties have to be told, before this process comes in the victim's place. */
const TOLD_MS = 150

/** Gives the place of this party, or `broken`. */
async function wait({ barrier }: Objects, form: Form): Promise<number | 'broken'> {
  const begun = performance.now()
  try {
    const options = { timeout: LIMIT_MS }
    return form === 'sync' ? barrier.waitSync(options) : await barrier.wait(options)
  } catch (error) {
    if (!(error instanceof BrokenBarrierError)) throw error
    if (performance.now() - begun > LIMIT_MS - 100) throw new Error('it was broken by time alone')
    return 'broken'
  }
}

/** Does nothing: that it travels makes the last party run it. Exported to travel by reference. @public */
export function action(): void {}

async function beginWaits(round: Round<Objects>): Promise<Running[]> {
  const runs = round.others.map((who) => round.begin(who, 'wait'))
  for (const run of runs) {
    if (!(await round.isSettled(run, 0))) await round.waits(run, round.objects.barrier)
  }
  return runs
}

/** Two that wait and this process pass together. */
async function passTogether(round: Round<Objects>, runs: Running[]): Promise<void> {
  const own = round.here('wait')
  round.freed()
  const places: unknown[] = []
  for (const run of [...runs, own]) places.push(await round.settled(run))
  const all = sorted(places)
  const isBroken = places.every((place) => place === 'broken')
  assert(isBroken || all === '0,1,2', `the places are ${all}`)
}

/** It works as if the victim had never been. */
async function check(round: Round<Objects>): Promise<void> {
  const { barrier } = round.objects
  barrier.reset()
  assert(!barrier.broken && barrier.waiting === 0, 'it is not whole after reset()')
  const runs = await beginWaits(round)
  const own = round.here('wait')
  round.freed()
  const places: unknown[] = []
  for (const run of [...runs, own]) places.push(await round.settled(run))
  assert(sorted(places) === '0,1,2', `after reset() the places are ${places.join()}`)
}

/** The two survivors, and the victim as the third party, pass or fail together, or do not miss it. */
async function finish(round: Round<Objects>, runs: Running[]): Promise<void> {
  const settled: boolean[] = []
  for (const run of runs) settled.push(await round.isSettled(run, TOLD_MS))
  assert(settled[0] === settled[1], 'one party goes on, the other does not')
  if (settled[0] !== true) {
    assert(!round.ended, 'the parties wait for one that has passed')
    await passTogether(round, runs)
    return
  }
  const places: unknown[] = []
  for (const run of runs) places.push(await round.settled(run))
  const broken = places.filter((place) => place === 'broken').length
  assert(broken !== 1, `of one round, the outcomes are ${places.join()}`)
}

const aborted = new Error('aborted')

const waits: Readonly<Record<string, (barrier: Barrier) => unknown>> = {
  waitSync: (barrier) => barrier.waitSync(),
  wait: (barrier) => barrier.wait(),
}

const impatient: Readonly<Record<string, (barrier: Barrier) => unknown>> = {
  'waitSync that times out': (barrier) => quiet(() => barrier.waitSync({ timeout: 5 })),
  'wait that times out': (barrier) => quiet(() => barrier.wait({ timeout: 5 })),
  'wait that is aborted': (barrier) =>
    quiet(() => {
      const controller = new AbortController()
      setTimeout(() => controller.abort(aborted), 4)
      return barrier.wait({ signal: controller.signal })
    }),
}

async function quiet(wait: () => unknown): Promise<void> {
  try {
    await wait()
  } catch (error) {
    if (error !== aborted && !(error instanceof BrokenBarrierError)) throw error
  }
}

function makeCase(
  name: string,
  make: () => Barrier,
  operate: (barrier: Barrier) => unknown,
  play: (round: Round<Objects>) => Promise<void>,
): KillCase<Objects> {
  return {
    name,
    make: () => ({ barrier: make() }),
    operate: ({ barrier }) => operate(barrier),
    acts: { wait },
    async play(round) {
      await play(round)
      await check(round)
    },
  }
}

async function victimFirst(round: Round<Objects>): Promise<void> {
  const { barrier } = round.objects
  round.go()
  await round.victimWaitsOrDies()
  const isMissed = round.isDead && barrier.waiting === 1
  // Until somebody has seen that it is dead it counts; as whoever starts processes does when one ends, we look.
  session().reaper.reapAll()
  const runs = round.others.map((who) => round.begin(who, 'wait'))
  await round.death()
  if (!isMissed) return finish(round, runs)
  // It had come, and was dead before the others came: they are not to pass with it.
  for (const run of runs) {
    const outcome: unknown = await round.settled(run)
    assert(outcome === 'broken', `with a dead party, another has place ${String(outcome)}`)
  }
}

async function victimLast(round: Round<Objects>): Promise<void> {
  const runs = await beginWaits(round)
  round.go()
  await round.death()
  await finish(round, runs)
}

/** One waits; the victim gives up, resets, or aborts. */
async function oneWaits(round: Round<Objects>): Promise<void> {
  const [who] = round.others
  const run = round.begin(who, 'wait')
  await round.waits(run, round.objects.barrier)
  round.go()
  await round.death()
  const isSettled = await round.isSettled(run, TOLD_MS)
  assert(isSettled || !round.ended, 'a party waits on in a round that has ended')
  round.objects.barrier.reset()
  round.freed()
  const outcome: unknown = await round.settled(run)
  assert(outcome === 'broken', `a lone party is told ${String(outcome)}`)
}

const plain = (): Barrier => new Barrier(3)
const acting = (): Barrier => new Barrier(3, { action })

export const barrierCases: readonly KillCase<Objects>[] = [
  ...Object.entries(waits).flatMap(([what, operate]) => [
    makeCase(`Barrier: ${what}, first`, plain, operate, victimFirst),
    makeCase(`Barrier: ${what}, last`, plain, operate, victimLast),
    makeCase(`Barrier with an action: ${what}, last`, acting, operate, victimLast),
  ]),
  ...Object.entries(impatient).map(([what, operate]) =>
    makeCase(`Barrier: ${what}`, plain, operate, oneWaits),
  ),
  makeCase('Barrier: reset', plain, (barrier) => barrier.reset(), oneWaits),
  makeCase('Barrier: abort', plain, (barrier) => barrier.abort(), oneWaits),
]
