/**
 * Measures how long an asynchronous consumer of ours that sleeps takes to have a message: `node sleeper.js SPEC`.
 *
 * `floor` is the waiter thread alone: somebody rings this thread's bell, and the addon calls back. Nothing that
 * is woken through it can be faster.
 *
 * @module
 */
import { type Connection, Pipe } from '@mp/pipe'
import { Process } from '@mp/process'
import { Queue } from '@mp/queue'
import { SharedArray } from '@mp/shared-memory'
import { PARKED, session } from '@mp/shared-memory/internal'
import type { Spec } from './spec.js'
import { Waits, stampsOf, tell } from './targets.js'

export function tellByQueue(spec: Spec, queue: Queue<number>): void {
  tell(spec, (stamp) => queue.putSync(stamp))
}

export function tellByPipe(spec: Spec, connection: Connection<number>): void {
  tell(spec, (stamp) => connection.sendSync(stamp))
}

/** A stamp that says that there will be no other. */
const OVER = -1

export function tellByBell(spec: Spec, stamps: SharedArray<Float64Array>, slot: number): void {
  tell(spec, (stamp) => {
    stamps.array[0] = stamp
    session().agent.ring(slot)
  })
  stamps.array[0] = OVER
  session().agent.ring(slot)
}

async function byQueue(spec: Spec): Promise<Waits> {
  const queue = new Queue<number>()
  const child = new Process({ target: tellByQueue, args: [spec, queue] }).start()
  const waits = new Waits()
  for (let i = 0; i < stampsOf(spec); i++) {
    waits.add(await queue.get())
  }
  await child.join()
  return waits
}

async function byPipe(spec: Spec): Promise<Waits> {
  const [here, there] = Pipe<number>()
  const child = new Process({ target: tellByPipe, args: [spec, there] }).start()
  there.close()
  const waits = new Waits()
  for (let i = 0; i < stampsOf(spec); i++) {
    waits.add(await here.recv())
  }
  await child.join()
  return waits
}

async function byBell(spec: Spec): Promise<Waits> {
  const { agent, native, words } = session()
  const stamps = new SharedArray(Float64Array, 1)
  const waits = new Waits()
  const { promise, resolve } = withResolvers()
  let last = 0
  const onRing = (): void => {
    for (;;) {
      const seen = agent.bell()
      const stamp = stamps.array[0]
      // A busy machine may let a stamp go unseen, so they are not counted; and others ring as well.
      if (stamp === OVER) return resolve()
      if (stamp !== last) waits.add((last = stamp))
      Atomics.or(words, agent.parkedWord, PARKED.async)
      if (agent.bell() === seen) return
    }
  }
  native.waiterStart(agent.bellWord, agent.parkedWord, agent.bell(), onRing)
  native.waiterRef()
  const args: [Spec, SharedArray<Float64Array>, number] = [spec, stamps, agent.slot]
  const child = new Process({ target: tellByBell, args }).start()
  onRing()
  await promise
  native.waiterStop()
  child.joinSync()
  return waits
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void
  const promise = new Promise<void>((onResolve) => (resolve = onResolve))
  return { promise, resolve }
}

const { argv } = process
if (argv[1] === import.meta.filename) {
  const spec = JSON.parse(argv[2]) as Spec
  const waits = await { floor: byBell, queue: byQueue, pipe: byPipe }[spec.via as 'floor'](spec)
  waits.report(spec)
}
