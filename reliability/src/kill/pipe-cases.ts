/**
 * Deaths at a `Pipe`: whole messages in order, then the end of the file; nobody waits for the dead.
 *
 * @module
 */
import { type Connection, EOFError, Pipe } from '@mp/pipe'
import { type Form, type KillCase, type Round, assert } from './case.js'

interface Objects {
  /** This process keeps it. */
  own: Connection
  /** The victim's; this process keeps it too, until the victim has it. */
  victims: Connection
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000
const SMALL = 8
const LONG = 40_000

const message = (n: number, length: number): string => `${n} ${'x'.repeat(length)}`

function checkWhole(value: unknown): number {
  const text = String(value)
  const n = Number(text.split(' ')[0])
  const isWhole = [SMALL, LONG].some((length) => text === message(n, length))
  assert(isWhole, `a torn message came out: ${text.slice(0, 40)}, ${text.length} characters`)
  return n
}

/** Receives until the end of the file. */
async function receive({ own }: Objects, form: Form): Promise<number[]> {
  const got: number[] = []
  for (;;) {
    try {
      const options = { timeout: LIMIT_MS }
      got.push(checkWhole(form === 'sync' ? own.recvSync(options) : await own.recv(options)))
    } catch (error) {
      if (error instanceof EOFError) return got
      throw error
    }
  }
}

/** What the victim sends comes whole and in order, and then the end, wherever it died. */
function sends(
  what: string,
  operate: (end: Connection) => unknown,
  count: number,
): KillCase<Objects> {
  return {
    name: `Pipe: ${what}`,
    make() {
      const [own, victims] = Pipe()
      return { own, victims }
    },
    // It would hold the other end, too, and never be told that all others have gone.
    prepare: ({ own }) => own.close(),
    operate: ({ victims }) => operate(victims),
    acts: { receive },
    async play(round) {
      const { own, victims } = round.objects
      victims.close()
      const run = round.here('receive')
      round.go()
      await round.death()
      const got = (await round.settled(run)) as number[]
      const expected = Array.from({ length: got.length }, (_, n) => 100 + n).join()
      assert(got.join() === expected, `out of order: ${got.join()}`)
      if (round.ended) assert(got.length === count, `of ${count} messages came ${got.join()}`)
      own.close()
    },
  }
}

/** What is sent to the victim is received or not; to send more fails once it is dead. */
function receives(what: string, operate: (end: Connection) => unknown): KillCase<Objects> {
  return {
    ...sends(what, operate, 0),
    async play(round: Round<Objects>) {
      const { own, victims } = round.objects
      victims.close()
      // In every other round it waits for the message.
      if (round.k % 2 === 0) own.sendSync(message(1, SMALL))
      round.go()
      if (round.k % 2 === 1) {
        await round.victimWaitsOrDies()
        try {
          own.sendSync(message(1, SMALL))
        } catch (error) {
          assert(isBroken(error), `sending fails with ${String(error)}`)
        }
      }
      await round.death()
      const run = round.here('receive')
      const got = (await round.settled(run)) as number[]
      assert(got.length === 0, 'a message came from nowhere')
      let failure: unknown
      try {
        own.sendSync(message(2, SMALL), { timeout: LIMIT_MS })
      } catch (error) {
        failure = error
      }
      assert(isBroken(failure), `sending to the dead gives ${String(failure)}`)
      own.close()
    },
  }
}

function isBroken(error: unknown): boolean {
  return (error as { code?: string } | undefined)?.code === 'ERR_MP_BROKEN_PIPE'
}

export const pipeCases: readonly KillCase<Objects>[] = [
  sends('sendSync', (end) => end.sendSync(message(100, SMALL)), 1),
  sends('send, a long message', (end) => end.send(message(100, LONG)), 1),
  sends(
    'two messages, then close',
    async (end) => {
      await end.send(message(100, SMALL))
      end.sendSync(message(101, LONG))
      end.close()
    },
    2,
  ),
  receives('recvSync', (end) => end.recvSync()),
  receives('recv', (end) => end.recv()),
]
