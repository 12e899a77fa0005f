/**
 * Deaths in whatever is acquired and released: `Lock`, `RLock`, the semaphores, both sides of `RWLock`.
 *
 * @module
 */
import { SharedArray } from '@mp/shared-memory'
import { type SharedObject, session } from '@mp/shared-memory/internal'
import {
  BoundedSemaphore,
  type Guard,
  Lock,
  type LockLike,
  RLock,
  RWLock,
  Semaphore,
} from '@mp/sync'
import { type Form, type KillCase, type Round, assert } from './case.js'

interface Objects {
  lock: SharedObject
  /** Who is inside, by weight. */
  inside: SharedArray<Int32Array>
}

/** What the cases need to know of a type. */
interface Kind {
  readonly name: string
  make(): SharedObject
  /** What the victim acquires. */
  victims(lock: SharedObject): LockLike
  /** What a survivor acquires, who waits in that form; how much it weighs; how much may be inside together. */
  survivors(lock: SharedObject, form: Form): { side: LockLike; weight: number; limit: number }
  /** How often this process has to take it so that nobody else can. */
  readonly permits: number
  /** Whether one who dies inside is reported to exactly one other. */
  readonly exclusive: boolean
  isFree(lock: SharedObject): boolean
}

const itself = (lock: SharedObject): LockLike => lock as unknown as LockLike

function exclusive(name: string, make: () => Lock | RLock): Kind {
  return {
    name,
    make,
    victims: itself,
    survivors: (lock) => ({ side: itself(lock), weight: 1, limit: 1 }),
    permits: 1,
    exclusive: true,
    isFree: (lock) => !(lock as Lock).locked,
  }
}

function counted(name: string, make: () => Semaphore): Kind {
  return {
    name,
    make,
    victims: itself,
    survivors: (lock) => ({ side: itself(lock), weight: 1, limit: 2 }),
    permits: 2,
    exclusive: false,
    isFree(lock) {
      const semaphore = lock as Semaphore
      const isWhole = semaphore.value === 2
      // The value is reckoned anew; whether the permits can be had is another matter.
      const guards = [semaphore.tryAcquire(), semaphore.tryAcquire()]
      for (const guard of guards) guard?.release()
      return isWhole && !guards.includes(null)
    },
  }
}

const WRITER = 1000

function readWrite(side: 'read' | 'write'): Kind {
  return {
    name: `RWLock.${side}`,
    make: () => new RWLock(),
    victims: (lock) => (lock as RWLock)[side],
    // Those who sleep write, the others read.
    survivors: (lock, form) =>
      form === 'sync'
        ? { side: (lock as RWLock).write, weight: WRITER, limit: WRITER }
        : { side: (lock as RWLock).read, weight: 1, limit: WRITER - 1 },
    permits: 1,
    exclusive: side === 'write',
    isFree(lock) {
      const guard = (lock as RWLock).write.tryAcquire()
      guard?.release()
      return guard !== null
    },
  }
}

const kinds: readonly Kind[] = [
  exclusive('Lock', () => new Lock()),
  exclusive('RLock', () => new RLock()),
  counted('Semaphore', () => new Semaphore(2)),
  counted('BoundedSemaphore', () => new BoundedSemaphore(2)),
  readWrite('read'),
  readWrite('write'),
]

/** Longer than anything may take. */
const LIMIT_MS = 5_000

async function take(side: LockLike, form: Form): Promise<Guard> {
  const options = { timeout: LIMIT_MS }
  const guard = form === 'sync' ? side.acquireSync(options) : await side.acquire(options)
  if (guard === null) throw new Error('it could not be acquired')
  return guard
}

/** Acquires it, makes sure that nobody else is inside, and releases it; gives how often the last holder had died. */
async function use(kind: Kind, { lock, inside }: Objects, form: Form): Promise<number> {
  const { side, weight, limit } = kind.survivors(lock, form)
  const guard = await take(side, form)
  const total = Atomics.add(inside.array, 0, weight) + weight
  if (total > limit) throw new Error(`${total} are inside, ${limit} may be`)
  // Others have a chance to come in.
  for (let i = 0; i < 200; i++) Atomics.load(inside.array, 0)
  Atomics.sub(inside.array, 0, weight)
  guard.release()
  return guard.ownerDied ? 1 : 0
}

/** All survivors use it, several times; it is as if the victim had never been. Gives how often a death was reported. */
async function useByAll(round: Round<Objects>): Promise<number> {
  const runs = [...round.others.map((who) => round.begin(who, 'useOften')), round.here('useOften')]
  let deaths = 0
  for (const run of runs) deaths += (await round.settled(run)) as number
  return deaths
}

interface Plot {
  readonly what: string
  readonly prepare?: (side: LockLike, kind: Kind) => unknown
  readonly operate: (side: LockLike, kind: Kind) => unknown
  /** `free`: nobody else uses it meanwhile; `held`: this process holds it, until the victim waits; `awaited`: others wait. */
  readonly scene: 'free' | 'held' | 'awaited'
  /** Whether a victim whose operation was over held it. */
  readonly holds: boolean
}

const aborted = new Error('aborted')

const plots: readonly Plot[] = [
  { what: 'acquireSync, free', operate: (side) => side.acquireSync(), scene: 'free', holds: true },
  { what: 'acquire, free', operate: (side) => side.acquire(), scene: 'free', holds: true },
  { what: 'tryAcquire', operate: (side) => side.tryAcquire(), scene: 'free', holds: true },
  {
    what: 'release',
    prepare: (side) => side.acquireSync(),
    operate: (side) => side.release(),
    scene: 'free',
    holds: false,
  },
  {
    what: 'release to those who wait',
    prepare: takeAll,
    operate(side, kind) {
      for (let n = 0; n < kind.permits; n++) side.release()
    },
    scene: 'awaited',
    holds: false,
  },
  { what: 'acquireSync, held', operate: (side) => side.acquireSync(), scene: 'held', holds: true },
  { what: 'acquire, held', operate: (side) => side.acquire(), scene: 'held', holds: true },
  {
    what: 'acquireSync that times out',
    operate: (side) => giveUp(side.acquireSync({ timeout: 5 })),
    scene: 'held',
    holds: false,
  },
  {
    what: 'acquire that times out',
    operate: async (side) => giveUp(await side.acquire({ timeout: 5 })),
    scene: 'held',
    holds: false,
  },
  {
    what: 'acquire that is aborted',
    async operate(side) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(aborted), 4)
      try {
        giveUp(await side.acquire({ signal: controller.signal }))
      } catch (error) {
        if (error !== aborted) throw error
      }
    },
    scene: 'held',
    holds: false,
  },
]

/** What came just in time is given back. */
function giveUp(guard: Guard | null): void {
  guard?.release()
}

function takeAll(side: LockLike, { permits }: Kind): void {
  for (let n = 0; n < permits; n++) side.acquireSync()
}

async function playFree(round: Round<Objects>): Promise<number> {
  round.go()
  await round.death()
  return useByAll(round)
}

async function playAwaited(round: Round<Objects>): Promise<number> {
  const runs = round.others.map((who) => round.begin(who, 'use'))
  for (const run of runs) await round.waits(run, round.objects.lock)
  // Those who have waited for more than 1 ms get the gate.
  await round.pass(2)
  round.go()
  await round.death()
  let deaths = 0
  for (const run of runs) deaths += (await round.settled(run)) as number
  return deaths + (await useByAll(round))
}

async function playHeld(kind: Kind, round: Round<Objects>): Promise<number> {
  const { lock } = round.objects
  const side = kind.name === 'RWLock.read' ? (lock as RWLock).write : kind.victims(lock)
  const guards = Array.from({ length: kind.permits }, () => side.tryAcquire())
  assert(!guards.includes(null), 'this process could not take it')
  // In every other round the victim comes last.
  const isFirst = round.k % 2 === 0
  if (isFirst) {
    round.go()
    await round.victimWaitsOrDies()
  }
  const runs = round.others.map((who) => round.begin(who, 'use'))
  for (const run of runs) await round.waits(run, lock)
  await round.pass(2)
  if (!isFirst) {
    round.go()
    await round.victimWaitsOrDies()
  }
  for (const guard of guards) guard?.release()
  round.freed()
  await round.death()
  let deaths = 0
  for (const run of runs) deaths += (await round.settled(run)) as number
  return deaths + (await useByAll(round))
}

function makeCase(kind: Kind, plot: Plot): KillCase<Objects> {
  const { prepare, operate, scene, holds } = plot
  return {
    name: `${kind.name}: ${plot.what}`,
    make: () => ({ lock: kind.make(), inside: new SharedArray(Int32Array, 1) }),
    ...(prepare !== undefined && {
      prepare: ({ lock }: Objects) => prepare(kind.victims(lock), kind),
    }),
    operate: ({ lock }) => operate(kind.victims(lock), kind),
    acts: {
      use: (objects, form) => use(kind, objects, form),
      async useOften(objects, form) {
        let deaths = 0
        for (let n = 0; n < 3; n++) deaths += await use(kind, objects, form)
        return deaths
      },
    },
    async play(round) {
      const deaths =
        scene === 'free'
          ? await playFree(round)
          : scene === 'held'
            ? await playHeld(kind, round)
            : await playAwaited(round)
      if (round.ended && kind.exclusive) {
        const expected = holds ? 1 : 0
        assert(deaths === expected, `${deaths} were told of a death, not ${expected}`)
      }
      assert(deaths <= kind.permits, `${deaths} were told of one death`)
      // As whoever starts processes does when one ends; those who do not wait for it do not look for deaths.
      session().reaper.reapAll()
      assert(kind.isFree(round.objects.lock), 'it is not free when nobody holds it')
    },
  }
}

const again: KillCase<Objects> = {
  ...makeCase(kinds[1], {
    what: 'acquireSync and release, inside',
    prepare: (side) => side.acquireSync(),
    operate(side) {
      side.acquireSync()
      side.release()
    },
    scene: 'awaited',
    holds: true,
  }),
}

export const lockCases: readonly KillCase<Objects>[] = [
  ...kinds.flatMap((kind) => plots.map((plot) => makeCase(kind, plot))),
  again,
]
