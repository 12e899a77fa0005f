/**
 * The other sides of our own benchmarks: what runs in their child processes.
 *
 * @module
 */
import type { Connection } from '@mp/pipe'
import type { Queue } from '@mp/queue'
import type { Event } from '@mp/sync'
import { FILLING, type Payload, type Spec, payloadOf, warmupOf } from './spec.js'

/** Takes what the warm-up and the measured part send, and says after each that it has all. */
export async function takeFromQueue(
  spec: Spec,
  queue: Queue<Payload>,
  done: Queue<number>,
): Promise<void> {
  for (const count of [warmupOf(spec), spec.count]) {
    if (spec.style === 'sync') {
      for (let i = 0; i < count; i++) queue.getSync()
    } else if (spec.style === 'async') {
      for (let i = 0; i < count; i++) await queue.get()
    } else {
      let left = count
      for await (const _ of queue) if (--left === 0) break
    }
    done.putSync(count)
  }
}

export async function takeFromPipe(
  spec: Spec,
  connection: Connection<number, Payload>,
): Promise<void> {
  const room = new Uint8Array(spec.size)
  for (const count of [warmupOf(spec), spec.count]) {
    for (let i = 0; i < count; i++) {
      if (spec.style === 'into') connection.recvBytesIntoSync(room)
      else if (spec.style === 'lease' || spec.style === 'in-place') look(connection, spec.size)
      else if (spec.payload === 'bytes') connection.recvBytesSync()
      else if (spec.style === 'sync') connection.recvSync()
      else await connection.recv()
    }
    connection.sendSync(count)
  }
}

/** Receives without copying, and looks at the first and the last byte. */
function look(connection: Connection<number, Payload>, size: number): void {
  const lease = connection.recvBytesSync(undefined, { lease: true })
  const { value } = lease
  if (value.length !== size || value[0] + value[size - 1] !== 2 * FILLING)
    throw new Error('The message is not what was sent')
  lease.release()
}

/** Sends back whatever comes, by a pipe. */
export async function echoByPipe(spec: Spec, connection: Connection<Payload>): Promise<void> {
  const count = warmupOf(spec) + spec.count
  if (spec.style === 'sync') {
    for (let i = 0; i < count; i++) connection.sendSync(connection.recvSync())
  } else {
    for (let i = 0; i < count; i++) await connection.send(await connection.recv())
  }
}

/** Sends back whatever comes, by two queues. */
export async function echoByQueue(
  spec: Spec,
  there: Queue<Payload>,
  back: Queue<Payload>,
): Promise<void> {
  const count = warmupOf(spec) + spec.count
  if (spec.style === 'sync') {
    for (let i = 0; i < count; i++) back.putSync(there.getSync())
  } else {
    for (let i = 0; i < count; i++) await back.put(await there.get())
  }
}

/** What a member of a crowd works with. */
export interface Crowd {
  readonly spec: Spec
  readonly queue: Queue<Payload | null>
  /** Gets a message from each who is warm, and one from each who is done. */
  readonly reports: Queue<string>
  readonly go: Event
}

export function produce({ spec, queue, reports, go }: Crowd): void {
  const make = payloadOf(spec)
  const share = Math.ceil(spec.count / spec.producers)
  for (let i = 0; i < CROWD_WARMUP; i++) queue.putSync(make(i))
  reports.putSync('warm')
  go.waitSync()
  for (let i = 0; i < share; i++) queue.putSync(make(i))
  reports.putSync('done')
}

/** Takes until it is told that nothing more comes. */
export function consume({ queue, reports }: Crowd): void {
  while (queue.getSync() !== null);
  reports.putSync('done')
}

const CROWD_WARMUP = 5_000

const PAUSE_MS = 2
/** How many stamps go before, with short pauses: what happens seldom is compiled late. */
const WARMUP_STAMPS = 4_000

/** How many stamps are told in all. */
export function stampsOf(spec: Spec): number {
  return WARMUP_STAMPS + spec.count
}

/** Says what time it is, again and again, with pauses in which the other side falls asleep. */
export function tell(spec: Spec, say: (stamp: number) => void): void {
  const asleep = new Int32Array(new SharedArrayBuffer(4))
  for (let i = 0; i < stampsOf(spec); i++) {
    Atomics.wait(asleep, 0, 0, i < WARMUP_STAMPS ? 0.2 : PAUSE_MS + (i % 3))
    say(microseconds())
  }
}

/** On the clock that all processes share. */
export function microseconds(): number {
  return Number(process.hrtime.bigint()) / 1_000
}
