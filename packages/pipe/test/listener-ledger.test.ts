/** Sends that succeed, time out, are aborted or block, mixed at random: what is received is what was sent, in order. */
import type { SocketConnection } from '@mp/pipe'
import { afterEach, expect, test } from 'vitest'
import { ADDRESSES, Peers } from './socket-peers.js'

const peers = new Peers()
afterEach(() => peers.close())

const GIVEN_UP = new Set(['ERR_MP_TIMEOUT', 'ERR_MP_BUSY', 'ABORTED'])
const OPERATIONS = 600

class Ledger {
  readonly seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  /** Which messages were sent, by their number. */
  readonly sent = new Set<number>()
  readonly received: number[] = []
  readonly outcomes = { sent: 0, givenUp: 0 }
  #state = this.seed
  #next = 0

  random(n: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) >>> 0
    return (this.#state >>> 8) % n
  }

  /** Most are small, some are more than a part, some more than the kernel holds. */
  message(): { number: number; bytes: Uint8Array } {
    const number = this.#next++
    const length = [20, 1000, 70_000, 400_000, 1_500_000][this.random(5)] ?? 0
    const bytes = new Uint8Array(4 + this.random(length)).fill(number)
    new DataView(bytes.buffer).setUint32(0, number)
    return { number, bytes }
  }

  receive(bytes: Uint8Array): void {
    const number = new DataView(bytes.buffer).getUint32(0)
    expect(bytes.subarray(4).every((byte) => byte === (number & 0xff))).toBe(true)
    this.received.push(number)
  }

  note(number: number, error?: unknown): void {
    if (error === undefined) {
      this.sent.add(number)
      this.outcomes.sent++
      return
    }
    const { code } = error as { code: string }
    expect([...GIVEN_UP]).toContain(code)
    this.outcomes.givenUp++
  }
}

async function send(ledger: Ledger, from: SocketConnection): Promise<void> {
  const { number, bytes } = ledger.message()
  const kind = ledger.random(5)
  const abort = new AbortController()
  const options =
    kind === 0
      ? { timeout: ledger.random(5) }
      : kind === 1
        ? { signal: abort.signal }
        : kind === 2
          ? { timeout: 0 }
          : {}
  if (kind === 1) setTimeout(() => abort.abort({ code: 'ABORTED' }), ledger.random(5))
  await from.sendBytes(bytes, 0, undefined, options).then(
    () => ledger.note(number),
    (error: unknown) => ledger.note(number, error),
  )
}

function sendSync(ledger: Ledger, from: SocketConnection): void {
  const { number, bytes } = ledger.message()
  try {
    from.sendBytesSync(bytes, 0, undefined, { timeout: ledger.random(3) })
    ledger.note(number)
  } catch (error) {
    ledger.note(number, error)
  }
}

async function receive(ledger: Ledger, to: SocketConnection): Promise<void> {
  try {
    if (ledger.random(2) === 0) {
      ledger.receive(await to.recvBytes(undefined, { timeout: ledger.random(20) }))
    } else {
      ledger.receive(to.recvBytesSync(undefined, { timeout: ledger.random(3) }))
    }
  } catch (error) {
    if ((error as { code?: string }).code !== 'ERR_MP_TIMEOUT') throw error
  }
}

test.each(ADDRESSES)(
  'over %s nothing is lost, doubled, torn or out of order',
  async (_, address) => {
    const ledger = new Ledger()
    const [from, to] = await peers.pair({ address, authKey: 'key' })
    const sends: Promise<void>[] = []
    for (let i = 0; i < OPERATIONS; i++) {
      const what = ledger.random(10)
      if (what < 4) sends.push(send(ledger, from))
      else if (what < 6) sendSync(ledger, from)
      else await receive(ledger, to)
      if (ledger.random(4) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    const rest = (async () => {
      for (;;) {
        const bytes = await to.recvBytes()
        if (bytes.byteLength === 0) return
        ledger.receive(bytes)
      }
    })()
    await Promise.all(sends)
    await from.sendBytes(new Uint8Array(0))
    await rest
    const inOrder = [...ledger.sent].sort((a, b) => a - b)
    expect(ledger.received, `SEED=${ledger.seed}`).toEqual(inOrder)
    // The seed is of no use if all went one way.
    expect(ledger.outcomes.sent).toBeGreaterThan(10)
    expect(ledger.outcomes.givenUp).toBeGreaterThan(10)
  },
)
