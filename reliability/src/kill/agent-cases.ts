/**
 * Deaths while joining the session, leaving it, making an object, and reaping another.
 *
 * @module
 */
import { Queue } from '@mp/queue'
import { SharedArray } from '@mp/shared-memory'
import {
  AT,
  ENTRY,
  ENTRY_WORDS,
  HEADER,
  SLOT,
  SLOT_STATE,
  isDead,
  session,
  slotWord,
  type SharedObject,
} from '@mp/shared-memory/internal'
import { Lock, Semaphore } from '@mp/sync'
import { type Form, type KillCase, type Round, assert } from './case.js'

interface Objects {
  lock: Lock
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000

async function use({ lock }: Objects, form: Form): Promise<boolean> {
  const options = { timeout: LIMIT_MS }
  const guard = form === 'sync' ? lock.acquireSync(options) : await lock.acquire(options)
  if (guard === null) throw new Error('the lock could not be acquired')
  guard.release()
  return guard.ownerDied
}

/** Nothing in the session is signed by an agent that is dead: all was reaped. */
function checkReaped(): string | undefined {
  const { words, reaper } = session()
  reaper.reapAll()
  const high = Atomics.load(words, HEADER.highSlot)
  for (let slot = 0; slot < high; slot++) {
    const state = Atomics.load(words, slotWord(slot) + SLOT.state) & 0xff
    const isWhole = state === SLOT_STATE.free || state === SLOT_STATE.live
    if (!isWhole) return `slot ${slot} is in state ${state}`
  }
  const parts = [
    ['unit', AT.unitTable, 1, Atomics.load(words, HEADER.highUnit)],
    ['page', AT.pageTable, 1, Atomics.load(words, HEADER.highPage)],
    ['entry', AT.directory, ENTRY_WORDS, Atomics.load(words, HEADER.highEntry)],
  ] as const
  for (const [what, first, step, end] of parts) {
    for (let n = 0; n < end; n++) {
      const owner = Atomics.load(words, first + n * step)
      // Tags have a generation; the marks of objects and the states of entries have none.
      const isTag = owner >>> 12 !== 0 && owner >>> 30 === 0
      if (isTag && isDead(words, owner)) return `${what} ${n} belongs to a dead agent`
    }
  }
  return undefined
}

/** Units that belong to objects that are no more. */
function countLostUnits(): number {
  const { words } = session()
  let lost = 0
  const end = Atomics.load(words, HEADER.highUnit)
  for (let unit = 0; unit < end; unit++) {
    const owner = Atomics.load(words, AT.unitTable + unit)
    if (owner >>> 30 !== 1) continue
    const entry = AT.directory + (owner & 0x3fff_ffff) * ENTRY_WORDS
    if (Atomics.load(words, entry + ENTRY.state) === 0) lost++
  }
  return lost
}

async function check(round: Round<Objects>): Promise<void> {
  const runs = [...round.others.map((who) => round.begin(who, 'use')), round.here('use')]
  for (const run of runs) await round.settled(run)
  let left = checkReaped()
  // Somebody else may be reaping right now.
  for (let n = 0; n < 500 && left !== undefined; n++) {
    await round.pass(2)
    left = checkReaped()
  }
  assert(left === undefined, left ?? '')
  assert(countLostUnits() === 0, 'units belong to objects that are no more')
}

/** One for all rounds: a reaper visits all objects, and their number is not to grow with k. */
let lock: Lock | undefined

function makeCase(
  what: string,
  parts: Pick<KillCase<Objects>, 'operate'> & Partial<KillCase<Objects>>,
): KillCase<Objects> {
  return {
    name: `Session: ${what}`,
    make: () => ({ lock: (lock ??= new Lock()) }),
    acts: { use },
    async play(round) {
      round.go()
      await round.death()
      await check(round)
    },
    ...parts,
  }
}

/** Makes an object and, where it can, drops it again. */
function makeAndDrop(make: () => SharedObject): void {
  make().close()
}

export const agentCases: readonly KillCase<Objects>[] = [
  // First: a reaper visits all objects, and before it has made few.
  makeCase('reap', {
    prepare: ({ lock }) => lock.tryAcquire(),
    operate: () => session().reaper.reapAll(),
    afterCorpse: true,
  }),
  makeCase('join', { joins: true, operate: () => {} }),
  makeCase('leave', { operate: () => process.exit() }),
  makeCase('make a Lock', { operate: () => new Lock() }),
  makeCase('make a Semaphore, close it', { operate: () => makeAndDrop(() => new Semaphore(3)) }),
  makeCase('make a Queue, put into it', { operate: () => new Queue().putSync('x'.repeat(40_000)) }),
  makeCase('make a SharedArray', { operate: () => new SharedArray(Uint8Array, 200_000) }),
]
