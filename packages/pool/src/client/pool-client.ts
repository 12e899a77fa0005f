/**
 * A pool in a process that got its handle: the same calls, run by the workers of the pool.
 *
 * Tasks go to the pool's process, which gives them to its workers as it does its own, by priority and arrival; results
 * come back on a line of this client's. Encoding and decoding happens here.
 *
 * @module
 */
import type { SharedArray } from '@mp/shared-memory'
import { MultiprocessingError, RingClosedError, isDead } from '@mp/shared-memory/internal'
import { PoolClosedError, PoolTerminatedError } from '../errors.js'
import { TASK_HEAD } from '../messages.js'
import { COUNT, PoolBoard, processesOf } from '../pool-board.js'
import type { PoolCore } from '../pool-core.js'
import type { PoolProcess, PoolStats } from '../pool-stats.js'
import { Room } from '../room.js'
import { SharedArguments } from '../shared-arguments.js'
import { Signals } from '../signals.js'
import { Submitter } from '../submitter.js'
import { type NewTask, Task } from '../task.js'
import { Answers } from './answers.js'
import { type ClientFunction, ClientFunctions } from './client-functions.js'
import { sendRequest } from './door.js'
import { PoolLine } from './line.js'
import type { Request } from './requests.js'

/** How long a thread that waits for an answer sleeps before it looks whether the pool's process lives. */
const BLOCK_MS = 50

/** What a handle of a pool consists of. */
export type PoolHandle = readonly [
  door: PoolLine,
  /** Tag of the pool's thread. */
  owner: number,
  name: string,
  board: SharedArray<Float64Array>,
  /** Left out when the pool has ended. */
  core?: PoolCore,
]

export class PoolClient {
  readonly submitter: Submitter
  readonly shared: SharedArguments
  readonly room: Room
  readonly dispatcher: this = this
  readonly handle: PoolHandle
  readonly #door: PoolLine
  readonly #owner: number
  readonly #core: PoolCore | undefined
  readonly #board: PoolBoard
  readonly #line = new PoolLine()
  readonly #tasks = new Map<number, Task>()
  readonly #functions = new ClientFunctions()
  readonly #signals = new Signals((task, error) => this.callOff(task, error))
  readonly #answers: Answers
  readonly #ends: (() => void)[] = []
  #nextId = 1
  #hasGreeted = false
  #isListening = false
  #isClosed = false
  #isTerminated = false

  constructor(handle: PoolHandle) {
    const [door, owner, , board, core] = handle
    this.handle = handle
    this.#door = door
    this.#owner = owner
    this.#core = core
    this.#board = new PoolBoard(board)
    this.#answers = new Answers(
      this.#line,
      (id) => this.#tasks.get(id),
      (task, isValue, value) => this.#settle(task, isValue, value),
    )
    this.shared = new SharedArguments(this.#line.session)
    this.submitter = new Submitter({
      dispatcher: this,
      functions: this.#functions,
      shared: this.shared,
      record: { encoded: () => {} },
      size: () => this.#size,
      checkOpen: () => this.checkOpen(),
      // The pool's process does.
      checkRoom: () => {},
    })
    this.room = new Room(
      this.#board.counts[COUNT.maxQueued],
      () => this.pending - this.#size,
      (isSettled) => this.waitSync(isSettled),
    )
  }

  get pending(): number {
    return this.#tasks.size
  }

  checkOpen(): void {
    if (this.#isClosed || this.#isOrphaned() || this.#door.ring.closed) throw new PoolClosedError()
  }

  checkEnding(): void {
    if (this.#isClosed) return
    throw new MultiprocessingError(
      'ERR_MP_POOL_RUNNING',
      'The pool is open here still: call close() or terminate() first',
    )
  }

  /** This process asks for no more. */
  close(): void {
    this.#isClosed = true
    if (this.pending === 0) this.#end()
  }

  /** This process does not want anything any more; the pool goes on. */
  terminate(): void {
    this.#isClosed = true
    this.#isTerminated = true
    for (const task of this.#tasks.values()) this.callOff(task, new PoolTerminatedError())
    this.#end()
  }

  /** Resolves when everything that was asked for is answered. */
  get ends(): Promise<void> {
    if (this.#isClosed && this.pending === 0) return Promise.resolve()
    return new Promise((resolve) => this.#ends.push(resolve))
  }

  // What can be seen without asking.

  get processes(): PoolProcess[] {
    return processesOf(this.#live, this.handle[2])
  }

  stats(): PoolStats {
    return this.#board.stats(this.#live, this.handle[2])
  }

  // What the pool is asked.

  resize(processes: number): void {
    this.#send(['resize', this.#number, processes])
  }

  // What a submitter needs of a dispatcher.

  now(): number {
    return this.#line.session.agent.platform.now()
  }

  newTask(...args: NewTask): Task {
    const [mode, fn, , items, options, receiver] = args
    return new Task(mode, fn, items, options, receiver)
  }

  submit(task: Task): void {
    const { timeoutMs, signal, retries, priority, lease } = task.options
    const id = this.#nextId++
    task.number = id
    this.#tasks.set(id, task)
    if (lease) this.#answers.leases++
    if (signal?.aborted) return this.#settle(task, false, signal.reason)
    if (signal !== undefined) {
      this.#signals.listen(task, signal)
      task.cleanUp = () => this.#signals.unlisten(task, signal)
    }
    if (!this.#hasGreeted) {
      this.#hasGreeted = true
      this.#send(['hello', this.#number, this.#line, this.#line.session.agent.tag])
    }
    const { mode, items, fn, message } = task
    const { bytes, name } = fn as ClientFunction
    const payload = message.subarray(TASK_HEAD)
    const ask = [id, mode, items, name, bytes, payload, timeoutMs, retries, priority] as const
    this.#send(['ask', this.#number, ...ask])
    void this.#listen()
  }

  callOff(task: Task, error: unknown): void {
    this.#giveUp('call off', task, error)
  }

  discard(task: Task, error: unknown): void {
    this.#giveUp('discard', task, error)
  }

  /** Blocks this thread until something is settled. */
  waitSync(isSettled: () => boolean): void {
    const { waiting } = this.#line.session
    const polling = this.#line.ring.polling()
    while (!isSettled()) {
      waiting.block(polling, this.now() + BLOCK_MS)
      this.#drain(true)
    }
  }

  get #size(): number {
    return Math.max(1, this.#core?.size ?? 1)
  }

  /** Tells the clients of a pool apart. */
  get #number(): number {
    return this.#line.handle.index
  }

  /** Undefined when the pool's workers have ended with its process. */
  get #live(): PoolCore | undefined {
    return isDead(this.#line.session.words, this.#owner) ? undefined : this.#core
  }

  #giveUp(how: 'call off' | 'discard', task: Task, error: unknown): void {
    if (task.isSettled) return
    this.#send([how, this.#number, task.number])
    this.#settle(task, false, error)
  }

  #send(request: Request): void {
    sendRequest(this.#door, request).catch((error: unknown) => {
      const reason = error instanceof RingClosedError ? new PoolClosedError() : error
      for (const task of this.#tasks.values()) this.#settle(task, false, reason)
    })
  }

  async #listen(): Promise<void> {
    if (this.#isListening) return
    this.#isListening = true
    const { session, ring } = this.#line
    const polling = ring.polling()
    const attempt: typeof polling.attempt = () =>
      this.pending === 0 || this.#isOrphaned() ? true : polling.attempt()
    while (this.pending > 0) {
      await session.waiting.async({ ...polling, attempt }, Infinity)
      this.#drain(false)
    }
    this.#isListening = false
  }

  /** Any death wakes those who wait. */
  #isOrphaned(): boolean {
    return isDead(this.#line.session.words, this.#owner) || this.#line.ring.closed
  }

  #drain(isBlocked: boolean): void {
    while (this.#answers.take(isBlocked));
    if (!this.#isOrphaned() || this.#line.ring.size > 0) return
    for (const task of this.#tasks.values()) this.#settle(task, false, new PoolTerminatedError())
  }

  #settle(task: Task | undefined, isValue: boolean, value: unknown): void {
    if (task === undefined || task.isSettled) return
    task.isSettled = true
    this.#tasks.delete(task.number)
    if (task.options.lease) this.#answers.leases--
    task.cancel()
    task.forget()
    this.#functions.release(task.fn)
    if (isValue) task.receiver.resolve(value)
    else task.receiver.reject(value)
    this.room.changed()
    if (this.pending > 0) return
    this.#line.session.waiting.serveLine(this.#line.ring.notEmpty)
    if (this.#isClosed) this.#end()
  }

  #end(): void {
    // What was called off may run still, and use what is shared: that then goes with this process.
    if (!this.#isTerminated) this.shared.clear()
    for (const resolve of this.#ends.splice(0)) resolve()
  }
}
