/**
 * The pool's side of its clients: takes what they ask and answers.
 *
 * It listens from when a handle of the pool is first sent, without keeping the process alive. A client that dies is
 * noticed, because every death wakes everybody who waits; what it had asked for is called off.
 *
 * @module
 */
import { dumps, loads } from '@mp/pickle'
import { isDead, trackInFlight } from '@mp/shared-memory/internal'
import type { Dispatcher } from '../dispatcher.js'
import { PoolClosedError } from '../errors.js'
import type { SentFunctions } from '../functions.js'
import { MODE } from '../messages.js'
import { Task } from '../task.js'
import { composeAnswer } from './answers.js'
import { PoolLine } from './line.js'
import type { Ask, Request } from './requests.js'

/** What the door needs of its pool. */
export interface DoorPool {
  readonly dispatcher: Dispatcher
  readonly functions: SentFunctions
  /** Throws when the pool takes no more tasks. */
  checkOpen(): void
  /** Throws when too many wait already. */
  checkRoom(): void
  /** Changes how many workers there are to be; does nothing when the pool ends. */
  resize(processes: number): void
}

interface Client {
  readonly line: PoolLine
  readonly tag: number
  readonly tasks: Map<number, Task>
}

export class Door {
  readonly line: PoolLine = new PoolLine()
  readonly #pool: DoorPool
  readonly #clients = new Map<number, Client>()

  constructor(pool: DoorPool) {
    this.#pool = pool
    void this.#listen()
  }

  /** The pool takes nothing any more. What was asked for before is answered still, then its clients hear that it has gone. */
  close(): void {
    this.line.ring.close()
  }

  async #listen(): Promise<void> {
    const { ring, session } = this.line
    const polling = ring.polling()
    const attempt: typeof polling.attempt = () => (this.#findDead() ? true : polling.attempt())
    while (!ring.drained) {
      await session.waiting.async({ ...polling, attempt }, Infinity, undefined, false)
      this.#forgetDead()
      for (;;) {
        const message = ring.tryTake()
        if (message === null) break
        this.#handle(loads(message) as Request)
      }
    }
    // The line stays until it is collected: a handle of a pool that has ended may be sent, and is of use to nobody.
    for (const { line } of this.#clients.values()) line.ring.close()
  }

  #handle(request: Request): void {
    const [kind, number] = request
    if (kind === 'hello') {
      const [, , line, tag] = request
      this.#clients.set(number, { line, tag, tasks: new Map() })
      return
    }
    if (kind === 'resize') return this.#pool.resize(request[2])
    const client = this.#clients.get(number)
    if (client === undefined) return
    if (kind === 'ask') return this.#ask(client, request)
    const task = client.tasks.get(request[2])
    if (task === undefined) return
    const { dispatcher } = this.#pool
    // The client has settled it already, and knows why.
    const error = new PoolClosedError()
    if (kind === 'discard') dispatcher.discard(task, error)
    else dispatcher.callOff(task, error)
  }

  #ask(client: Client, request: Ask): void {
    const [, , id, mode, items, name, fn, payload, timeoutMs, retries, priority] = request
    let runMs = 0
    const answer = (isValue: boolean, encoded: Uint8Array): void => {
      client.tasks.delete(id)
      this.#answer(client, composeAnswer({ id, isValue, runMs }, encoded))
    }
    try {
      this.#pool.checkOpen()
      // Chunks are not refused: the client counts them.
      if (mode === MODE.call) this.#pool.checkRoom()
      const { functions, dispatcher } = this.#pool
      const sent = functions.useEncoded(name, fn)
      const options = {
        timeoutMs,
        signal: undefined,
        isLimited: timeoutMs !== Infinity,
        retries,
        priority,
        lease: false,
        onProgress: undefined,
        progress: false,
        raw: true,
      }
      const task = new Task(mode, sent, items, options, {
        timed: (ms) => (runMs = ms),
        resolve: (encoded) => answer(true, encoded as Uint8Array),
        // What the worker threw is encoded; what the pool says is not.
        reject: (error) => answer(false, error instanceof Uint8Array ? error : dumps(error)),
      })
      task.write(payload, payload.length)
      task.submittedAt = dispatcher.now()
      client.tasks.set(id, task)
      dispatcher.submit(task)
    } catch (error) {
      answer(false, dumps(error))
    }
  }

  #answer({ line, tag }: Client, answer: Uint8Array): void {
    if (isDead(line.session.words, tag)) return
    // One that closes meanwhile wants no answers.
    void line.send(answer).catch(() => {})
  }

  #findDead(): boolean {
    const { words } = this.line.session
    for (const { tag } of this.#clients.values()) if (isDead(words, tag)) return true
    return false
  }

  #forgetDead(): void {
    const { words } = this.line.session
    for (const [number, client] of this.#clients) {
      if (!isDead(words, client.tag)) continue
      this.#clients.delete(number)
      const error = new PoolClosedError()
      for (const task of client.tasks.values()) this.#pool.dispatcher.callOff(task, error)
      client.line.close()
    }
  }
}

/** Encodes a request with what it refers to, and sends it. */
export async function sendRequest(line: PoolLine, request: Request): Promise<void> {
  const { result, give } = trackInFlight(() => dumps(request))
  give(line.handle.index)
  await line.send(result)
}
