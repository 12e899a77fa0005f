/** Random calls on both ends of a pipe against a plain model; `SEED=…` has the same again. */
import { BufferTooShortError, type Connection, Pipe } from '@mp/pipe'
import { Random, chooseSeed, markOf, randomItem, randomLength } from 'mp-internal'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, test } from 'vitest'

const seed = chooseSeed()
const GAMES = 8
const CALLS = 300
/** Less than a pipe holds before senders wait. */
const MOST_BYTES = 8_000_000

interface Message {
  readonly isBytes: boolean
  readonly mark: string
  readonly byteLength: number
}

interface Side {
  readonly end: Connection
  /** What was sent to it and not received. */
  readonly inbox: Message[]
  readonly pending: { promise: Promise<string>; got?: string }[]
  isClosed: boolean
}

class Game {
  readonly #random: Random
  readonly #sides: readonly [Side, Side]
  readonly log: string[] = []
  #number = 0

  constructor(random: Random) {
    const side = (end: Connection): Side => ({ end, inbox: [], pending: [], isClosed: false })
    const [a, b] = Pipe()
    this.#random = random
    this.#sides = [side(a), side(b)]
  }

  async play(): Promise<void> {
    try {
      for (let n = 0; n < CALLS; n++) await this.#call(n > CALLS * 0.9)
    } finally {
      for (const { end } of this.#sides) end.close()
    }
  }

  async #call(mayClose: boolean): Promise<void> {
    const me = this.#random.integer(0, 1)
    const [own, other] = [this.#sides[me], this.#sides[1 - me]]
    const at = this.#random.next()
    if (mayClose && at < 0.05) this.#close(own)
    else if (own.isClosed) this.#useClosed(own)
    else if (at < 0.4) await this.#send(own, other)
    else if (at < 0.45) this.#receiveLater(own, other)
    else await this.#receive(own, other)
    await this.#compare(own, other)
  }

  async #send({ end }: Side, other: Side): Promise<void> {
    const length = randomLength(this.#random)
    const isBytes = this.#random.chance(0.4)
    const isSync = this.#random.chance(0.5)
    const n = this.#number++
    let mark: string
    let send: () => unknown
    if (isBytes) {
      const offset = this.#random.integer(0, 9)
      const bytes = new Uint8Array(offset + length + 5).fill(n)
      mark = markOfBytes(bytes.subarray(offset, offset + length))
      send = () =>
        isSync ? end.sendBytesSync(bytes, offset, length) : end.sendBytes(bytes, offset, length)
    } else {
      const item = randomItem(this.#random, n)
      mark = markOf(item)
      send = () => (isSync ? end.sendSync(item) : end.send(item))
    }
    const isFull = other.inbox.reduce((sum, { byteLength }) => sum + byteLength, 0) > MOST_BYTES
    if (isFull) return
    const got = await outcome(async () => {
      await send()
      return 'sent'
    })
    this.#expect(`send ${mark}`, got, other.isClosed ? 'ERR_MP_BROKEN_PIPE' : 'sent')
    if (!other.isClosed) other.inbox.push({ isBytes, mark, byteLength: 8 * length })
  }

  async #receive({ end, inbox, pending }: Side, other: Side): Promise<void> {
    // What waits goes first, and what it gets depends on nothing but the order.
    if (pending.length > 0) return
    const next = inbox[0]
    const nothing = other.isClosed ? 'ERR_MP_EOF' : 'ERR_MP_TIMEOUT'
    const isSync = this.#random.chance(0.5)
    const options = { timeout: 0 }
    if (next === undefined || !next.isBytes) {
      const receive = async (): Promise<string> =>
        markOf(isSync ? end.recvSync(options) : await end.recv(options))
      this.#expect('recv', await outcome(receive), next?.mark ?? nothing)
    } else {
      await this.#receiveBytes(end, next)
    }
    inbox.shift()
  }

  async #receiveBytes(end: Connection, { mark }: Message): Promise<void> {
    const length = Number(mark.split(' ')[0])
    const isSync = this.#random.chance(0.5)
    const options = { timeout: 0 }
    switch (this.#random.integer(0, 2)) {
      case 0: {
        const receive = async (): Promise<string> =>
          markOfBytes(
            isSync ? end.recvBytesSync(length, options) : await end.recvBytes(undefined, options),
          )
        this.#expect('recvBytes', await outcome(receive), mark)
        break
      }
      case 1: {
        const room = new Uint8Array(length + 7)
        const count = isSync
          ? end.recvBytesIntoSync(room, 3, options)
          : await end.recvBytesInto(room, 3, options)
        this.#expect('recvBytesInto', markOfBytes(room.subarray(3, 3 + count)), mark)
        const around = [...room.subarray(0, 3), ...room.subarray(3 + length)]
        this.#expect('around', around.join(''), '0000000')
        break
      }
      default: {
        if (length === 0) {
          this.#expect('recvBytes', `${(await end.recvBytes(0, options)).byteLength}`, '0')
          break
        }
        // Too short: the error has the message.
        const receive = isSync
          ? () => Promise.resolve().then(() => end.recvBytesSync(length - 1, options))
          : () => end.recvBytesInto(new Uint8Array(length - 1), 0, options)
        const error: unknown = await receive().catch((reason: unknown) => reason)
        const got = error instanceof BufferTooShortError ? markOfBytes(error.bytes) : String(error)
        this.#expect('recvBytes of one less', got, mark)
      }
    }
  }

  #receiveLater({ end, inbox, pending }: Side, other: Side): void {
    if (inbox.length > 0 || other.isClosed || pending.length > 2) return
    this.log.push('recv later')
    const one: Side['pending'][number] = { promise: end.recv().then((value) => markOf(value)) }
    one.promise.then(
      (got) => (one.got = got),
      (error: unknown) => (one.got = codeOf(error)),
    )
    pending.push(one)
  }

  #close(own: Side): void {
    this.log.push('close')
    own.end.close()
    own.isClosed = true
    own.inbox.length = 0
  }

  #useClosed({ end }: Side): void {
    const use = [() => end.sendSync(1), () => end.recvSync(), () => end.pollSync()]
    let code = ''
    try {
      this.#random.pick(use)()
    } catch (error) {
      code = (error as { code: string }).code
    }
    this.#expect('after close', code, 'ERR_MP_CLOSED')
  }

  async #compare(own: Side, other: Side): Promise<void> {
    await turn()
    for (const [side, peer] of [
      [own, other],
      [other, own],
    ] as const) {
      while (side.pending.length > 0) {
        const one = side.pending[0]
        const next = side.inbox[0]
        if (side.isClosed) this.#expect('pending', one.got ?? 'nothing', 'ERR_MP_CLOSED')
        else if (next === undefined && peer.isClosed)
          this.#expect('pending', one.got ?? 'nothing', 'ERR_MP_EOF')
        else if (next === undefined) {
          this.#expect('pending', one.got ?? 'nothing', 'nothing')
          break
        } else if (!next.isBytes) {
          this.#expect('pending', one.got ?? 'nothing', next.mark)
        }
        side.inbox.shift()
        side.pending.shift()
      }
      if (side.isClosed) continue
      const isReady = side.inbox.length > 0 || peer.isClosed
      this.#expect('poll', `${side.end.pollSync({ timeout: 0 })}`, `${isReady}`)
    }
  }

  #expect(call: string, got: string, expected: string): void {
    this.log.push(`${call}: ${got}`)
    if (got !== expected) throw new Error(`${call} gave ${got} in place of ${expected}`)
  }
}

function markOfBytes(bytes: Uint8Array): string {
  return `${bytes.byteLength} ${bytes.every((one) => one === bytes[0]) ? bytes[0] : 'torn'}`
}

async function outcome(call: () => Promise<string>): Promise<string> {
  try {
    return await call()
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? (error as Error).message
}

describe(`random calls (SEED=${seed})`, () => {
  test('a pipe does what two lists do', async () => {
    for (let n = 0; n < GAMES; n++) {
      const game = new Game(new Random(seed + n))
      try {
        await game.play()
      } catch (error) {
        const last = game.log.slice(-30).join('\n')
        throw new Error(`${(error as Error).message}\nagain: SEED=${seed}, game ${n}\n${last}`, {
          cause: error,
        })
      }
    }
  })
})
