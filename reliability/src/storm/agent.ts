/**
 * An agent of a storm: a process or thread that works until it is told to stop, or is ended in some other way.
 *
 * @module
 */
import type { Connection } from '@mp/pipe'
import type { SharedMemory } from '@mp/shared-memory'
import { type Native, session } from '@mp/shared-memory/internal'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { Random } from 'mp-internal'
import { CHANNELS, Ledger, ORDER, SLOTS } from './ledger.js'
import type { Objects } from './objects.js'
import { operations } from './operations.js'
import { Recorder } from './record.js'
import { ABORTED, type Manner, type Scene } from './scene.js'

export interface Setup {
  readonly agent: number
  readonly seed: number
  readonly folder: string
  readonly block: SharedMemory
  readonly objects: Objects
  /** Held until the end: that it ends is how the director hears of it. */
  readonly lifeline: Connection<never, never>
}

/** An operation that one of the agent's hands is busy with. */
class Hand {
  readonly #scene: Scene
  readonly #slot: number
  readonly #native: Native

  constructor(scene: Scene, slot: number, native: Native) {
    this.#scene = scene
    this.#slot = slot
    this.#native = native
  }

  /** Does one thing, chosen at random. */
  async work(form: 'sync' | 'async', isMixed: boolean): Promise<void> {
    const { random, ledger, agent } = this.#scene
    const choice = random.integer(0, operations.length - 1)
    const { run, alone = false, ownMs = 0 } = operations[choice]
    if (alone && this.#slot > 0) return
    const manner = this.#chooseManner(form, isMixed)
    const limitMs = (manner.options.timeout ?? 0) + ownMs
    const doing = { operation: choice + 1, object: 0, limitMs, since: this.#native.now() }
    ledger.begin(agent, this.#slot, doing)
    try {
      await run(this.#scene, manner)
    } finally {
      ledger.end(agent, this.#slot)
    }
  }

  #chooseManner(form: 'sync' | 'async', isMixed: boolean): Manner {
    const { random } = this.#scene
    const isAlone = form === 'sync' && !isMixed
    if (form === 'sync' && isMixed) {
      return { form, options: { timeout: random.integer(0, 15) }, mayFail: true, isAlone }
    }
    if (random.chance(0.5)) return { form, options: {}, mayFail: false, isAlone }
    if (form === 'sync' || random.chance(0.5)) {
      return { form, options: { timeout: random.integer(0, 10) }, mayFail: true, isAlone }
    }
    const controller = new AbortController()
    if (random.chance(0.3)) queueMicrotask(() => controller.abort(ABORTED))
    else setTimeout(() => controller.abort(ABORTED), random.integer(0, 8))
    return { form, options: { signal: controller.signal }, mayFail: true, isAlone }
  }
}

/** Runs an agent; resolves when the storm is over. */
export async function runAgent(setup: Setup): Promise<void> {
  const { agent, seed, folder, block, objects, lifeline } = setup
  const ledger = new Ledger(block)
  const random = new Random(seed)
  const record = new Recorder(folder, agent)
  const scene: Scene = {
    agent,
    ledger,
    objects,
    record,
    random,
    begun: Array.from({ length: CHANNELS }, () => 0),
  }
  const { native, agent: self } = session()
  ledger.signTag(agent, self.tag)
  const hands = Array.from({ length: SLOTS }, (_, slot) => new Hand(scene, slot, native))
  let isOrdered = false
  try {
    while (!ledger.isStopping) {
      if (!isOrdered && ledger.order(agent) !== ORDER.none) {
        isOrdered = true
        setTimeout(() => endBadly(ledger.order(agent)), random.integer(0, 5))
      }
      await step(hands, random)
      ledger.countStep(agent)
      await turn()
      // Those that are just being started need a processor, too.
      if (random.chance(0.3)) await sleep(random.integer(1, 4))
    }
  } catch (error) {
    record.violation(String((error as Error).stack))
    throw error
  }
  record.close()
  ledger.finish(agent)
  lifeline.close()
  block.close()
}

async function step(hands: readonly Hand[], random: Random): Promise<void> {
  const mode = random.next()
  const [first] = hands as [Hand]
  if (mode < 0.5) {
    for (let n = 0; n < 5; n++) await first.work('sync', false)
    return
  }
  const isMixed = mode > 0.8
  const busy = hands.slice(0, random.integer(2, hands.length))
  const asleep = isMixed ? (busy.pop() as Hand) : undefined
  const works = busy.map((hand) => hand.work('async', isMixed))
  if (asleep !== undefined) {
    if (random.chance(0.5)) await turn()
    await asleep.work('sync', true)
  }
  await Promise.all(works)
}

function endBadly(order: number): void {
  if (order === ORDER.exit) process.exit(3)
  if (order === ORDER.throw) throw new Error('thrown in a storm')
  const hoard: number[][] = []
  for (;;) hoard.push(Array.from({ length: 100_000 }, (_, n) => n))
}
