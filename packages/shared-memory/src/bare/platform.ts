/**
 * What the addon does, for threads alone and in JavaScript: where there is no addon.
 *
 * Memory is SharedArrayBuffers (`memory.ts`), a thread sleeps in `Atomics.wait` or by `Atomics.waitAsync`
 * (`waiter.ts`), and who is dead the steward tells (`steward.ts`). The one thing to know: a part of a
 * SharedArrayBuffer cannot be shown as a buffer of its own. So what user code sees is either memory of
 * its own (`blocks.ts`) or a copy.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { MessageChannel, type MessagePort, Worker, threadId } from 'node:worker_threads'
import { SLICE_MS } from '../agent.js'
import { CONTROL_BYTES, MAX_OBJECTS } from '../layout.js'
import { type Native, type NativeLayout, ParkResult, PollState } from '../native.js'
import { Ballast } from './ballast.js'
import { Blocks } from './blocks.js'
import {
  BOOK,
  announceDeath,
  giveSlot,
  isUnowned,
  leave,
  noteStarter,
  ringAll,
  takeSlot,
} from './books.js'
import { type Line, type Memory, handOn, inheritedMemory, makeMemory, ownLine } from './memory.js'
import type { NewLine } from './requests.js'
import { unavailable } from './unavailable.js'
import { Waiter } from './waiter.js'

/** What is there only without the addon. */
export interface Bare {
  readonly blocks: Blocks
  /** The line for a thread that is about to be started; undefined when this thread has none itself. */
  openLine(): Lifeline | undefined
}

/** How a starter hears of a thread's end without its event loop. */
export interface Lifeline {
  /** For `workerData`, as `mpLine`; its port has to be transferred. */
  readonly line: Line
  /** Whether the thread has ended. */
  isOver(): boolean
  /** That is the thread. */
  attach(worker: Worker): void
  /** It could not be started. */
  cancel(): void
}

/** How long blocking calls on sockets sleep before they try again. */
const LOOK_MS = 1
/** Looks between two looks at the clock. */
const LOOKS = 64

const { hrtime } = process

function now(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** What only processes need, and memory that is shown in part. */
const REFUSED = [
  'attach',
  'attachSibling',
  'fd',
  'runOpen',
  'runView',
  'runDetach',
  'runClose',
  'watch',
  'unwatch',
  'dieWithParent',
  'waitExit',
  'forkBegin',
  'forkServe',
  'forkRevive',
  'forkReduce',
  'forkPair',
  'forkAsk',
  'forkStock',
  'forkLearn',
  'forkClose',
  'forkExit',
  'reap',
  'exitsStart',
  'exitsWatch',
  'exitsRef',
  'exitsUnref',
] as const

type Refused = (typeof REFUSED)[number]

function refuse(name: Refused): [Refused, () => never] {
  return [
    name,
    () => {
      throw unavailable(`\`${name}\` cannot be done`, 'Threads can do without it')
    },
  ]
}

const refused = Object.fromEntries(REFUSED.map(refuse)) as unknown as Pick<Native, Refused>

const STEWARD = new URL('./steward.cjs', import.meta.url)

/** Whether the steward can be started: its file is where this one is. */
export function canBeBare(): boolean {
  return existsSync(STEWARD)
}

/** Whether this thread belongs to a session without the addon. */
export function isBareThread(): boolean {
  return inheritedMemory() !== undefined
}

/** The platform of this thread. */
export function barePlatform(): Native {
  return new Threads() as Threads & Pick<Native, Refused>
}

class Threads implements Omit<Native, Refused> {
  readonly path = ''
  readonly bare: Bare
  /** Unique among the threads of this process that are alive. */
  readonly #who: number
  readonly #line: Line | undefined = ownLine()
  readonly #ballast = new Ballast()
  #memory: Memory | undefined = inheritedMemory()
  #steward: MessagePort | undefined
  #words!: Int32Array
  #books!: Int32Array
  #blocks: Blocks | undefined
  #waiter: Waiter | undefined

  constructor() {
    Object.assign(this, refused)
    this.#who = this.#line?.ticket ?? threadId + 1
    this.#steward = this.#line?.port
    this.#steward?.unref()
    const blocks = (): Blocks => (this.#blocks ??= new Blocks(this.#known(), this.#who, now))
    const openLine = (): Lifeline | undefined => this.#openLine()
    this.bare = {
      get blocks() {
        return blocks()
      },
      openLine,
    }
    if (this.#memory !== undefined) this.#use(this.#memory)
  }

  create(byteLength: number): void {
    const memory = makeMemory(byteLength)
    this.#memory = memory
    this.#use(memory)
    const { port1, port2 } = new MessageChannel()
    const steward = new Worker(STEWARD, {
      name: 'mp-steward',
      workerData: { memory, port: port2 },
      transferList: [port2],
      execArgv: [],
      env: { MP_MAX_OBJECTS: String(MAX_OBJECTS) },
    })
    steward.on('error', (error) => {
      throw error
    })
    steward.unref()
    port1.unref()
    this.#steward = port1
  }

  attached(): boolean {
    return this.#memory !== undefined
  }

  byteLength(): number {
    return CONTROL_BYTES + this.#known().pages.byteLength
  }

  /** The control region is a buffer of its own, and is shown whole. */
  view(byteOffset: number, byteLength: number): ArrayBuffer {
    return this.sharedView(byteOffset, byteLength) as ArrayBuffer
  }

  sharedView(byteOffset: number, byteLength: number): ArrayBufferLike {
    const { control } = this.#known()
    if (byteOffset === 0 && byteLength <= control.byteLength) return control
    throw new RangeError('A part of a SharedArrayBuffer cannot be shown as a buffer: use `bytes`')
  }

  bytes(byteOffset: number, byteLength: number): Uint8Array {
    return new Uint8Array(this.#known().pages, byteOffset - CONTROL_BYTES, byteLength)
  }

  /** Shared memory stays: what is its own it shows as long as it is reachable. */
  detach(buffer: ArrayBufferLike): void {
    if (buffer instanceof ArrayBuffer) structuredClone(buffer, { transfer: [buffer] })
  }

  punch(byteOffset: number, byteLength: number): void {
    this.bytes(byteOffset, byteLength).fill(0)
  }

  charge(byteLength: number): void {
    this.#ballast.add(byteLength)
  }

  /** The allocator cannot be told from here. */
  keepFreed(): void {}

  /** It is known here. */
  setLayout(_layout: NativeLayout): void {}

  park(word: number, expected: number, timeoutMs: number): ParkResult {
    const result = Atomics.wait(this.#words, word, expected, Math.min(timeoutMs, SLICE_MS))
    if (result === 'ok') return ParkResult.woken
    return result === 'not-equal' ? ParkResult.changed : ParkResult.timedOut
  }

  spin(word: number, expected: number, timeoutMs: number): number {
    const deadline = now() + timeoutMs
    do {
      for (let i = 0; i < LOOKS; i++) if (Atomics.load(this.#words, word) !== expected) return 1
    } while (now() < deadline)
    return 0
  }

  /** Wakes those of either kind: a wake is a hint. */
  wake(word: number, _mask: number): void {
    Atomics.notify(this.#words, word)
  }

  ringAll(): void {
    ringAll(this.#words)
  }

  waiterStart(bell: number, parked: number, _seen: number, callback: () => void): void {
    this.#waiter = new Waiter(this.#words, bell, parked, callback)
  }

  waiterRef(): void {
    this.#waiter?.ref()
  }

  waiterUnref(): void {
    this.#waiter?.unref()
  }

  waiterStop(): void {
    this.#waiter?.stop()
    this.#waiter = undefined
  }

  own(slot: number): void {
    if (!takeSlot(this.#books, slot, this.#who)) throw errno('EBUSY', 'somebody holds the slot')
  }

  disown(slot: number): void {
    if (!giveSlot(this.#books, slot, this.#who)) throw errno('EPERM', "not this agent's")
  }

  probe(slot: number): boolean {
    return isUnowned(this.#books, slot)
  }

  claim(slot: number): boolean {
    return takeSlot(this.#books, slot, -this.#who)
  }

  unclaim(slot: number): void {
    if (!giveSlot(this.#books, slot, -this.#who)) throw errno('EPERM', "not this agent's")
  }

  /** Does not know, so the caller has to try; what waits comes again soon. Never says that somebody has hung up. */
  poll(_fd: number, interest: number, timeoutMs: number): number {
    if (timeoutMs > 0) Atomics.wait(pause, 0, 0, Math.min(timeoutMs, LOOK_MS))
    return interest & (PollState.readable | PollState.writable)
  }

  now(): number {
    return now()
  }

  pid(): number {
    return process.pid
  }

  #known(): Memory {
    if (this.#memory === undefined) throw errno('ENOTCONN', 'create first')
    return this.#memory
  }

  #use(memory: Memory): void {
    this.#words = new Int32Array(memory.control)
    this.#books = new Int32Array(memory.books)
    if (this.#line === undefined) noteStarter(this.#books, this.#who, memory.starter)
    handOn(memory, this.#who)
    // Of threads that have no line, such as those that programs start themselves, nobody else hears.
    process.on('worker', (worker: Worker) => {
      // Over before this thread had a turn: its number is not to be had any more.
      if (worker.threadId < 0) return
      const thread = worker.threadId + 1
      worker.once('exit', () => this.#leave(thread))
    })
  }

  #leave(who: number): void {
    if (leave(this.#words, this.#books, who, this.#who)) announceDeath(this.#words)
  }

  #openLine(): Lifeline | undefined {
    if (this.#steward === undefined) return undefined
    const { port1, port2 } = new MessageChannel()
    const ticket = Atomics.add(this.#books, BOOK.tickets, 1)
    const ended = new Int32Array(new SharedArrayBuffer(4))
    // SYNC: before the thread is there. CRASH: if we die before it, our own line tells, and port1 is closed with us.
    this.#steward.postMessage({ ticket, port: port2, ended } satisfies NewLine, [port2])
    return {
      line: { ticket, port: port1 },
      isOver: () => Atomics.load(ended, 0) === 1,
      // As it is with the addon: who hears of the `exit` event finds it gone.
      attach: (worker) => worker.once('exit', () => this.#leave(ticket)),
      cancel: () => port1.close(),
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4))

function errno(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code })
}
