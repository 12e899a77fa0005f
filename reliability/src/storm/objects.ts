/**
 * What the agents of a storm share.
 *
 * @module
 */
import { type Connection, Pipe } from '@mp/pipe'
import { JoinableQueue, Queue } from '@mp/queue'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  RWLock,
  Semaphore,
} from '@mp/sync'

/** Sections that one at a time may be in: the locks', the writers', the conditions'. */
export const SECTION = {
  lock: 0,
  busyLock: 1,
  rlock: 2,
  write: 3,
  condition: 4,
  lockCondition: 5,
} as const

export interface Objects {
  readonly lock: Lock
  readonly busyLock: Lock
  readonly rlock: RLock
  readonly semaphores: readonly { readonly semaphore: Semaphore; readonly permits: number }[]
  readonly rwLock: RWLock
  /** Set and cleared by anybody. */
  readonly event: Event
  /** Set and cleared again by the director, many times a second. */
  readonly pulse: Event
  readonly conditions: readonly Condition[]
  readonly barrier: Barrier
  readonly queues: readonly Queue<Message>[]
  /** What is taken from it and not done comes again. */
  readonly tasks: JoinableQueue<Message>
  readonly sending: Connection<Message, never>
  readonly receiving: Connection<never, Message>
}

/** Who put it, with which number, and a filling that tells whether it is whole: nothing but the letter x. */
export type Message = readonly [agent: number, sequence: number, filling: string | Uint8Array]

const LETTER = 0x78

/** A filling that lies in pages of its own, when it is received by lease. */
export function makeBytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(LETTER)
}

export function isWhole(filling: string | Uint8Array): boolean {
  return typeof filling === 'string'
    ? !/[^x]/.test(filling)
    : filling.every((one) => one === LETTER)
}

/** Makes them all. */
export function makeObjects(): Objects {
  const [receiving, sending] = Pipe<never, Message>({ duplex: false })
  return {
    lock: new Lock(),
    busyLock: new Lock(),
    rlock: new RLock(),
    semaphores: [
      { semaphore: new Semaphore(1), permits: 1 },
      { semaphore: new Semaphore(3), permits: 3 },
      { semaphore: new BoundedSemaphore(2), permits: 2 },
    ],
    rwLock: new RWLock(),
    event: new Event(),
    pulse: new Event(),
    conditions: [new Condition(new RLock()), new Condition(new Lock())],
    barrier: new Barrier(3),
    queues: [new Queue<Message>(), new Queue<Message>(8)],
    tasks: new JoinableQueue<Message>({ acknowledge: true, maxSize: 100 }),
    sending,
    receiving,
  }
}
