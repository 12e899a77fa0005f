/**
 * A pool in a process that got its handle: the same calls, run by the workers of the pool.
 *
 * Tasks go to the pool's process, which gives them to its workers as it does its own, by priority and arrival; results
 * come back on a line of this client's. Encoding and decoding happens here.
 *
 * @module
 */
import { dumps, isConstant, loads, loadsAsync, needsModules } from '@mp/pickle'
import {
  MultiprocessingError,
  RingClosedError,
  isDead,
  keepInFlight,
} from '@mp/shared-memory/internal'
import { PoolClosedError, PoolTerminatedError } from '../errors.js'
import type { SentFunction } from '../functions.js'
import { TASK_HEAD } from '../messages.js'
import { SharedArguments } from '../shared-arguments.js'
import { type AnyFunction, Submitter } from '../submitter.js'
import type { Task } from '../task.js'
import { sendRequest } from './door.js'
import { PoolLine } from './line.js'
import type { Answer, Request } from './requests.js'

/** How long a thread that waits for an answer sleeps before it looks whether the pool's process lives. */
const BLOCK_MS = 50

export class PoolClient {
  readonly submitter: Submitter
  readonly shared: SharedArguments
  readonly dispatcher: this = this
  readonly #door: PoolLine
  readonly #owner: number
  readonly #line = new PoolLine()
  readonly #tasks = new Map<number, Task>()
  readonly #ids = new WeakMap<Task, number>()
  readonly #functions = new ClientFunctions()
  readonly #ends: (() => void)[] = []
  #nextId = 1
  #hasGreeted = false
  #isListening = false
  #isClosed = false

  /**
   * @param owner tag of the pool's thread.
   * @param size how many workers it had when the handle was sent.
   */
  constructor(door: PoolLine, owner: number, size: number) {
    this.#door = door
    this.#owner = owner
    this.shared = new SharedArguments(this.#line.session)
    this.submitter = new Submitter({
      dispatcher: this,
      functions: this.#functions,
      shared: this.shared,
      record: { encoded: () => {} },
      size: () => size,
      checkOpen: () => this.checkOpen(),
    })
  }

  get pending(): number {
    return this.#tasks.size
  }

  /** What a copy of the handle is made from. */
  get origin(): [PoolLine, number] {
    return [this.#door, this.#owner]
  }

  checkOpen(): void {
    if (this.#isClosed || this.#door.ring.closed) throw new PoolClosedError()
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
    for (const task of this.#tasks.values()) this.callOff(task, new PoolTerminatedError())
    this.#end()
  }

  /** Resolves when everything that was asked for is answered. */
  get ends(): Promise<void> {
    if (this.#isClosed && this.pending === 0) return Promise.resolve()
    return new Promise((resolve) => this.#ends.push(resolve))
  }

  // What a submitter needs of a dispatcher.

  now(): number {
    return this.#line.session.agent.platform.now()
  }

  submit(task: Task): void {
    const { timeoutMs, signal, retries, priority } = task.options
    const id = this.#nextId++
    this.#tasks.set(id, task)
    this.#ids.set(task, id)
    if (signal?.aborted) return this.#settle(task, false, signal.reason)
    const onAbort = (): void => this.callOff(task, signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    task.cleanUp = () => signal?.removeEventListener('abort', onAbort)
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

  /** Tells the clients of a pool apart. */
  get #number(): number {
    return this.#line.handle.index
  }

  #giveUp(how: 'call off' | 'discard', task: Task, error: unknown): void {
    const id = this.#ids.get(task)
    if (id === undefined || task.isSettled) return
    this.#send([how, this.#number, id])
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
    const { ring } = this.#line
    for (;;) {
      const message = ring.tryTake()
      if (message === null) break
      const [id, isValue, encoded] = loads(message) as Answer
      const task = this.#tasks.get(id)
      if (!isBlocked && needsModules(encoded, encoded.length)) {
        void loadsAsync(encoded).then(
          (value) => this.#settle(task, isValue, value),
          (error: unknown) => this.#settle(task, false, error),
        )
      } else {
        this.#decode(task, isValue, encoded)
      }
    }
    if (!this.#isOrphaned() || ring.size > 0) return
    for (const task of this.#tasks.values()) this.#settle(task, false, new PoolTerminatedError())
  }

  /** Also of a task that nobody waits for: what it names has to arrive. */
  #decode(task: Task | undefined, isValue: boolean, encoded: Uint8Array): void {
    let value: unknown
    try {
      value = loads(encoded)
    } catch (error) {
      return this.#settle(task, false, error)
    }
    this.#settle(task, isValue, value)
  }

  #settle(task: Task | undefined, isValue: boolean, value: unknown): void {
    if (task === undefined || task.isSettled) return
    task.isSettled = true
    this.#tasks.delete(this.#ids.get(task) ?? 0)
    task.cancel()
    task.forget()
    this.#functions.release(task.fn)
    if (isValue) task.receiver.resolve(value)
    else task.receiver.reject(value)
    if (this.pending > 0) return
    this.#line.session.waiting.serveLine(this.#line.ring.notEmpty)
    if (this.#isClosed) this.#end()
  }

  #end(): void {
    for (const resolve of this.#ends.splice(0)) resolve()
  }
}

interface ClientFunction extends SentFunction {
  readonly bytes: Uint8Array
}

/** Functions of a client: encoded, and kept until their last task is over. */
class ClientFunctions {
  readonly #constants = new WeakMap<AnyFunction, ClientFunction>()

  use(fn: AnyFunction): ClientFunction {
    const known = this.#constants.get(fn)
    if (known !== undefined) {
      known.uses++
      return known
    }
    const { result: bytes, hasCopies, cancel } = keepInFlight(() => dumps(fn))
    const name: unknown = fn.name
    const sent = {
      reference: { id: 0, page: 0, byteLength: 0 },
      name: typeof name === 'string' ? name : '',
      key: '',
      hasCopies,
      cancel,
      uses: 1,
      isFreed: false,
      bytes,
    }
    if (!hasCopies && isConstant(fn)) this.#constants.set(fn, sent)
    return sent
  }

  release(sent: SentFunction): void {
    if (--sent.uses === 0 && sent.hasCopies) sent.cancel()
  }
}
