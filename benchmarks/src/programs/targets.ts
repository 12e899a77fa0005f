/**
 * The other sides of our own benchmarks: what runs in their child processes.
 *
 * @module
 */
import { setImmediate } from 'node:timers/promises'
import type { Connection } from '@mp/pipe'
import type { Queue } from '@mp/queue'
import type { Event } from '@mp/sync'
import { type Payload, type Spec, checkOf, ensure, isWhole, median } from './spec.js'

/** Takes what the warm-up and the measured part send, and says after each that it has all. */
export async function takeFromQueue(
  spec: Spec,
  queue: Queue<Payload>,
  done: Queue<number>,
): Promise<void> {
  const check = checkOf(spec)
  for (const count of [spec.warmup, spec.count]) {
    if (spec.style === 'sync') {
      for (let i = 0; i < count; i++) check(queue.getSync(), i)
    } else if (spec.style === 'async') {
      for (let i = 0; i < count; i++) check(await queue.get(), i)
    } else {
      let i = 0
      for await (const message of queue) {
        check(message, i)
        if (++i === count) break
      }
    }
    done.putSync(count)
  }
}

export async function takeFromPipe(
  spec: Spec,
  connection: Connection<number, Payload>,
): Promise<void> {
  const check = checkOf(spec)
  const room = new Uint8Array(spec.size)
  for (const count of [spec.warmup, spec.count]) {
    for (let i = 0; i < count; i++) {
      if (spec.style === 'into') fill(connection, room)
      else if (spec.style === 'lease' || spec.style === 'in-place') look(connection, spec.size)
      else if (spec.payload === 'bytes') check(connection.recvBytesSync(), i)
      else if (spec.style === 'sync') check(connection.recvSync(), i)
      else check(await connection.recv(), i)
    }
    connection.sendSync(count)
  }
}

/** Receives into memory that is there. */
function fill(connection: Connection<number, Payload>, room: Uint8Array): void {
  room[0] = 0
  const length = connection.recvBytesIntoSync(room)
  ensure(isWhole(room.subarray(0, length), room.length), 'The message is not what was sent')
}

/** Receives without copying. */
function look(connection: Connection<number, Payload>, size: number): void {
  const lease = connection.recvBytesSync(undefined, { lease: true })
  ensure(isWhole(lease.value, size), 'The message is not what was sent')
  lease.release()
}

/** Sends back whatever comes, by a pipe. */
export async function echoByPipe(spec: Spec, connection: Connection<Payload>): Promise<void> {
  const count = spec.warmup + spec.count
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
  const count = spec.warmup + spec.count
  if (spec.style === 'sync') {
    for (let i = 0; i < count; i++) back.putSync(there.getSync())
  } else {
    for (let i = 0; i < count; i++) await back.put(await there.get())
  }
}

/** What a member of a crowd works with. */
export interface Crowd {
  readonly spec: Spec
  readonly queue: Queue<number | null>
  /** Gets a message from each who is warm, and one from each who is done. */
  readonly reports: Queue<Share>
  readonly go: Event
}

/** How many messages one of a crowd has had, and their sum. */
export interface Share {
  readonly count: number
  readonly sum: number
}

/** How many messages each producer puts before and while it is measured. */
export function sharesOf({ warmup, count, producers }: Spec): [before: number, measured: number] {
  return [Math.ceil(warmup / producers), Math.ceil(count / producers)]
}

export function produce({ spec, queue, reports, go }: Crowd): void {
  for (const [phase, count] of sharesOf(spec).entries()) {
    if (phase === 1) go.waitSync()
    for (let i = 0; i < count; i++) queue.putSync(i)
    reports.putSync({ count, sum: (count * (count - 1)) / 2 })
  }
}

/** Takes until it is told that nothing more comes. */
export function consume({ queue, reports }: Crowd): void {
  let count = 0
  let sum = 0
  for (let i = queue.getSync(); i !== null; i = queue.getSync()) {
    count++
    sum += i
  }
  reports.putSync({ count, sum })
}

const PAUSE_MS = 2

/** How many stamps are told in all. */
export function stampsOf(spec: Spec): number {
  return spec.warmup + spec.count
}

/** Says what time it is, again and again, with pauses in which the other side falls asleep; short ones to warm up. */
export function tell(spec: Spec, say: (stamp: number) => void): void {
  for (let i = 0; i < stampsOf(spec); i++) {
    pause(spec, i)
    say(microseconds())
  }
}

/** The same for what is written by an event loop, which has to come round for that. */
export async function tellByLoop(spec: Spec, say: (stamp: number) => void): Promise<void> {
  for (let i = 0; i < stampsOf(spec); i++) {
    pause(spec, i)
    say(microseconds())
    await setImmediate()
  }
}

const asleep = new Int32Array(new SharedArrayBuffer(4))

function pause({ warmup }: Spec, i: number): void {
  Atomics.wait(asleep, 0, 0, i < warmup ? 0.2 : PAUSE_MS + (i % 3))
}

/** How long stamps were under way. */
export class Waits {
  readonly all: number[] = []
  #last = 0

  add(stamp: number): void {
    this.all.push(microseconds() - stamp)
    ensure(stamp > this.#last, 'The stamps are out of order')
    this.#last = stamp
  }

  /** Prints the median of those that count. */
  report({ count }: Spec): void {
    process.stdout.write(`${median(this.all.slice(-count))}\n`)
  }
}

/** On the clock that all processes share. */
function microseconds(): number {
  return Number(process.hrtime.bigint()) / 1_000
}
