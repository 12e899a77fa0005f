/**
 * Deaths with an end of a pipe inside a message: it arrives and works, or its other side reads the end of the file.
 *
 * @module
 */
import { type Connection, EOFError, Pipe } from '@mp/pipe'
import { Queue } from '@mp/queue'
import { type Form, type KillCase, type Round, assert } from './case.js'

interface Objects {
  /** What the end travels through. */
  queue: Queue<Letter>
  to: Connection<Letter, Letter>
  from: Connection<Letter, Letter>
  /** Stays in this process. */
  own: Connection
  /** Travels. */
  end: Connection
}

interface Letter {
  readonly end: Connection
  readonly filling: string
}

/** Longer than anything may take. */
const LIMIT_MS = 5_000
const SMALL = 8
const LONG = 40_000

const make = (): Objects => {
  const [to, from] = Pipe<Letter>()
  const [own, end] = Pipe()
  return { queue: new Queue<Letter>(), to, from, own, end }
}

/** Receives until the end of the file. */
async function receive({ own }: Objects, form: Form): Promise<unknown[]> {
  const got: unknown[] = []
  for (;;) {
    try {
      const options = { timeout: LIMIT_MS }
      got.push(form === 'sync' ? own.recvSync(options) : await own.recv(options))
    } catch (error) {
      if (error instanceof EOFError) return got
      throw error
    }
  }
}

/** Sends by an end that has arrived, and lets go. */
function use({ end, filling }: Letter): void {
  assert(/^x+$/.test(filling), 'a torn letter came')
  end.sendSync('arrived')
  end.close()
}

/** The victim sends the end. If the letter is there it works; else, and after that, there is the end of the file. */
function sends(
  what: string,
  operate: (objects: Objects) => unknown,
  isPipe: boolean,
): KillCase<Objects> {
  return {
    name: `Escrow: ${what}`,
    make,
    // It would hold what is not its own.
    prepare: ({ own, from }) => {
      own.close()
      from.close()
    },
    operate,
    acts: { receive },
    async play(round: Round<Objects>) {
      const { queue, to, from, own, end } = round.objects
      end.close()
      to.close()
      const run = round.here('receive')
      round.go()
      await round.death()
      const letter = isPipe ? receiveLetter(from) : (queue.tryGet()?.value ?? undefined)
      assert(letter !== undefined || !round.ended, 'the letter is lost')
      if (letter !== undefined) use(letter)
      // Whoever died before the letter was in there may have left its end to what it was to travel through.
      from.close()
      queue.close()
      round.freed()
      const got = (await round.settled(run)) as unknown[]
      assert(got.join() === (letter === undefined ? '' : 'arrived'), `received: ${got.join()}`)
      own.close()
    },
  }
}

function receiveLetter(from: Connection<Letter, Letter>): Letter | undefined {
  try {
    return from.recvSync({ timeout: LIMIT_MS })
  } catch (error) {
    if (error instanceof EOFError) return undefined
    throw error
  }
}

/** The victim gets the end from a queue, which goes on. */
function takes(
  what: string,
  take: (queue: Queue<Letter>) => Letter | Promise<Letter>,
): KillCase<Objects> {
  return {
    name: `Escrow: ${what}`,
    make,
    prepare: ({ own, end, to, from }) => {
      for (const one of [own, end, to, from]) one.close()
    },
    operate: async ({ queue }) => use(await take(queue)),
    acts: { receive },
    async play(round: Round<Objects>) {
      const { to, from, own, end, queue } = round.objects
      queue.putSync({ end, filling: 'x'.repeat(round.k % 2 === 0 ? SMALL : LONG) })
      end.close()
      to.close()
      from.close()
      const run = round.here('receive')
      round.go()
      await round.death()
      // Before it is taken it is held; whoever takes it can use it.
      const left = queue.tryGet()
      if (left !== null) use(left.value)
      const got = (await round.settled(run)) as unknown[]
      const isSent = round.ended || left !== null
      assert(got.length <= 1 && (got.length === 1 || !isSent), `got ${got.length}`)
      own.close()
      queue.close()
    },
  }
}

/** The victim receives the end, which this process has sent. */
const receives: KillCase<Objects> = {
  name: 'Escrow: recvSync of an end',
  make,
  prepare: ({ own, end, to }) => {
    own.close()
    end.close()
    to.close()
  },
  operate: ({ from }) => use(from.recvSync()),
  acts: { receive },
  async play(round: Round<Objects>) {
    const { to, from, own, end, queue } = round.objects
    from.close()
    to.sendSync({ end, filling: 'x'.repeat(round.k % 2 === 0 ? SMALL : LONG) })
    end.close()
    const run = round.here('receive')
    round.go()
    await round.death()
    const got = (await round.settled(run)) as unknown[]
    assert(got.length === (round.ended ? 1 : got.length) && got.length <= 1, `got ${got.length}`)
    own.close()
    to.close()
    queue.close()
  },
}

const letter = (end: Connection, length: number): Letter => ({ end, filling: 'x'.repeat(length) })

export const escrowCases: readonly KillCase<Objects>[] = [
  sends('putSync of an end', ({ queue, end }) => queue.putSync(letter(end, SMALL)), false),
  sends('put of an end, a long message', ({ queue, end }) => queue.put(letter(end, LONG)), false),
  sends('sendSync of an end', ({ to, end }) => to.sendSync(letter(end, SMALL)), true),
  receives,
  takes('getSync of an end', (queue) => queue.getSync()),
  takes('get of an end', (queue) => queue.get()),
]
