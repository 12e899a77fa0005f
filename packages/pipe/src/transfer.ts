/**
 * How the messages of one end of a pipe come and go: at once where that works, else by waiting.
 *
 * @module
 */
import { Backlog, encodeTo } from '@mp/pickle'
import {
  type Delivery,
  type Ends,
  type Message,
  Outgoing,
  PENDING,
  type ReadMessage,
  Taken,
  type Target,
  TimeoutError,
  type Waitable,
  collectNotes,
  deadlineAfter,
  throughPipe,
} from '@mp/shared-memory/internal'
import type { End, PipeCore } from './pipe-core.js'

export class Transfer {
  /** What was received here and given to nobody yet: it comes before what can be received. */
  readonly backlog: Backlog = new Backlog()
  readonly #pipe: PipeCore
  readonly #end: End
  readonly #target: Target
  readonly #checkOpen: () => void
  /** What messages travel through. */
  readonly #through: number
  // A wait has no state of its own: one for each kind is enough.
  #receiving: Waitable<Taken> | undefined
  #receivingOpen: Waitable<Taken> | undefined

  /** @param checkOpen throws when the connection is closed. */
  constructor(pipe: PipeCore, end: End, checkOpen: () => void) {
    this.#pipe = pipe
    this.#end = end
    this.#target = pipe.target(end)
    this.#through = throughPipe(pipe.handle.index, end === 0 ? 1 : 0)
    this.#checkOpen = checkOpen
  }

  /** Encodes a value, and sends it if it is first and there is room. */
  encode(value: unknown, isFirst: boolean): Outgoing {
    const message = new Outgoing(this.#target, this.#through, isFirst, 0)
    collectNotes(message, encodeTo, value)
    return message
  }

  tryPut(message: Uint8Array): boolean {
    return this.#target.tryPutOne(message, message.byteLength) === 'put'
  }

  async send(
    message: Message,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    ends?: Ends,
  ): Promise<void> {
    const { waiting } = this.#pipe.session
    const sending = this.keep(this.#pipe.sending(this.#end, message, ends))
    if ((await waiting.async(sending, timeoutMs, signal)) === PENDING) throw tooLate('sent')
  }

  sendSync(message: Message, timeoutMs: number, ends?: Ends): void {
    const sending = this.#pipe.sending(this.#end, message, ends)
    const attempt: typeof sending.attempt = () => (this.isInTurn() ? sending.attempt() : PENDING)
    if (this.block({ ...sending, attempt }, timeoutMs) === PENDING) throw tooLate('sent')
  }

  /** Whether nobody of this thread waits to send. */
  isFirst(): boolean {
    return !this.#pipe.session.waiting.hasLine(this.#pipe.outgoing(this.#end).notFull)
  }

  /** Whether nothing is left of what this thread began to send before: that goes first. */
  isInTurn(): boolean {
    const { waiting } = this.#pipe.session
    const { notFull } = this.#pipe.outgoing(this.#end)
    return !waiting.hasLine(notFull) || waiting.serveLine(notFull)
  }

  async receive<R>(
    read: ReadMessage<R>,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<R> {
    if (this.backlog.any) return this.#kept().read(read)
    const ring = this.#pipe.incoming(this.#end)
    // Those of this thread who wait already go first.
    const now = this.#pipe.session.waiting.hasLine(ring.notEmpty) ? PENDING : ring.tryRead(read)
    if (now !== PENDING) return now
    return (await this.take(timeoutMs, signal)).read(read)
  }

  receiveSync<R>(read: ReadMessage<R>, timeoutMs: number): R {
    if (this.backlog.any) return this.#kept().read(read)
    const now = this.#pipe.incoming(this.#end).tryRead(read)
    return now === PENDING ? this.takeSync(timeoutMs).read(read) : now
  }

  /** Waits for a message that is read later. */
  async take(timeoutMs: number, signal: AbortSignal | undefined): Promise<Taken> {
    if (this.backlog.any) return this.#kept()
    const receiving = (this.#receivingOpen ??= this.keep(this.#pipe.receiving(this.#end)))
    const taken = await this.#pipe.session.waiting.async(receiving, timeoutMs, signal)
    if (taken === PENDING) throw tooLate('received')
    return taken
  }

  takeSync(timeoutMs: number): Taken {
    if (this.backlog.any) return this.#kept()
    this.#receiving ??= this.#pipe.receiving(this.#end)
    const taken = this.block(this.#receiving, timeoutMs)
    if (taken === PENDING) throw tooLate('received')
    return taken
  }

  /** A wait until something can be received, be it the end of file. */
  polling(): Waitable<true> {
    const polling = this.#pipe.polling(this.#end)
    return { ...polling, attempt: () => (this.backlog.any ? true : polling.attempt()) }
  }

  block<T>(waitable: Waitable<T>, timeoutMs: number): T | typeof PENDING {
    const first = waitable.attempt()
    if (first !== PENDING) return first
    const { waiting, agent } = this.#pipe.session
    return waiting.block(waitable, deadlineAfter(agent, timeoutMs))
  }

  /** While somebody waits, the connection is not forgotten; when it is closed meanwhile, the wait ends. */
  keep<T>(waitable: Waitable<T>): Waitable<T> {
    const attempt = (): T | typeof PENDING => {
      this.#checkOpen()
      return waitable.attempt()
    }
    return { ...waitable, attempt }
  }

  #kept(): Taken {
    const { bytes, delivery } = this.backlog.shift()
    return new Taken(bytes, this.#pipe.session, -1, 0, delivery as Delivery | undefined)
  }
}

function tooLate(what: string): TimeoutError {
  return new TimeoutError(`The timeout passed before the message was ${what}`)
}
