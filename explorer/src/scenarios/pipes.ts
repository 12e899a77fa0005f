/**
 * Pipes: the end of file comes after the last message and only then, and a sender hears that nobody will receive.
 *
 * @module
 */
import { BrokenPipeError, EOFError, type End, type InFlight, PipeCore } from '@mp/pipe/internal'
import { PENDING } from '@mp/shared-memory/internal'
import { Event } from '@mp/sync'
import { Ring } from './rings.js'
import { type Helper, type Link, type Scenario, link, open } from '../scenario.js'

const SENT = 0
const RECEIVED = 1

function send(pipe: PipeCore, end: End, number: number, helper: Helper): void {
  pipe.session.waiting.block(pipe.sending(end, Uint8Array.of(number)), Infinity)
  helper.count(SENT)
}

function expectEndOfFile(error: unknown, helper: Helper): void {
  if (!(error instanceof EOFError)) throw error
  helper.expect(
    helper.counted(RECEIVED) >= helper.counted(SENT),
    'what was sent is received before the end of file',
  )
}

/** Receives until the end of file: messages are numbered from 1. */
function receiveAll(pipe: PipeCore, end: End, helper: Helper): void {
  try {
    for (let number = 1; ; number++) {
      const message = pipe.session.waiting.block(pipe.receiving(end), Infinity)
      const first = message === PENDING ? 0 : message.read((bytes) => bytes[0])
      helper.expect(first === number, `message ${number} is whole`)
      helper.count(RECEIVED)
    }
  } catch (error) {
    expectEndOfFile(error, helper)
  }
  pipe.letGo(end)
}

/** Opens the pipe for an agent that will hold, or has held, an end; the pipe itself is there to the last. */
function openPipe(shared: Link): PipeCore {
  open(PipeCore, shared)
  return open(PipeCore, shared)
}

function openEnd(shared: Link, end: End): PipeCore {
  const pipe = openPipe(shared)
  pipe.hold(end)
  return pipe
}

/** Agent 0 sends one and lets go; agent 1 receives until the end of file. */
const endOfFile: Scenario<Link> = {
  name: 'pipe-eof',
  agents: 2,
  setUp: () => link(new PipeCore()),
  program: (shared, helper) => {
    const pipe = openEnd(shared, helper.me === 0 ? 0 : 1)
    if (helper.me === 1) return () => receiveAll(pipe, 1, helper)
    return () => {
      try {
        send(pipe, 0, 1, helper)
      } catch (error) {
        if (!(error instanceof BrokenPipeError)) throw error
      }
      pipe.letGo(0)
    }
  },
}

const endOfFileAsync: Scenario<Link> = {
  ...endOfFile,
  name: 'pipe-eof-async',
  program: (shared, helper) => {
    if (helper.me === 0) return endOfFile.program(shared, helper)
    const pipe = openEnd(shared, 1)
    return async () => {
      const receiving = pipe.receiving(1)
      const { waiting } = pipe.session
      try {
        for (;;) {
          await waiting.async(receiving, Infinity, undefined)
          helper.count(RECEIVED)
        }
      } catch (error) {
        expectEndOfFile(error, helper)
      }
      pipe.letGo(1)
    }
  },
}

/** There is room for one message: agent 0 sends two, agent 1 receives one and lets go. */
const broken: Scenario<Link> = {
  ...endOfFile,
  name: 'pipe-broken',
  program: (shared, helper) => {
    const pipe = openEnd(shared, helper.me === 0 ? 0 : 1)
    if (helper.me === 0) {
      return () => {
        try {
          send(pipe, 0, 1, helper)
          send(pipe, 0, 2, helper)
          send(pipe, 0, 3, helper)
          helper.expect(false, 'the third message finds no room or nobody')
        } catch (error) {
          if (!(error instanceof BrokenPipeError)) throw error
        }
        pipe.letGo(0)
      }
    }
    return () => {
      try {
        pipe.session.waiting.block(pipe.receiving(1), Infinity)
      } catch (error) {
        if (!(error instanceof EOFError)) throw error
      }
      pipe.letGo(1)
    }
  },
}

interface Parcel {
  readonly pipe: Link
  readonly sent: Link
}

/** Agent 0 passes its end to agent 1 and lets go; agent 1 sends by it; agent 2 must not see an end of file before. */
const passedOn: Scenario<Parcel> = {
  name: 'pipe-passed-on-3',
  agents: 3,
  mortals: [1],
  setUp: () => ({ pipe: link(new PipeCore()), sent: link(new Event()) }),
  program: ({ pipe: shared, sent: event }, helper) => {
    if (helper.me === 2) {
      const pipe = openEnd(shared, 1)
      return () => receiveAll(pipe, 1, helper)
    }
    const sent = open(Event, event)
    if (helper.me === 0) {
      const pipe = openEnd(shared, 0)
      return () => {
        const { place }: InFlight = pipe.depart(0)
        helper.expect(place === 0, 'it travels in the only place')
        sent.set()
        pipe.letGo(0)
      }
    }
    const pipe = openPipe(shared)
    return () => {
      sent.waitSync()
      pipe.arrive(0, 0)
      send(pipe, 0, 1, helper)
      pipe.letGo(0)
    }
  },
  // A copy that has not arrived counts as long as its sender lives.
  mayWait: (_shared, { killed }) => killed[1] === true,
  check: (_shared, { helper, killed }) => {
    const isReceived = helper.counted(RECEIVED) === 1
    helper.expect(isReceived || killed[1] === true, 'what it sent is received')
  },
}

interface Escrow {
  readonly pipe: Link
  readonly ring: Link
}

/**
 * Agent 0 puts its end into a queue and lets go, or dies; agent 1 takes it out and sends by it; agent 2 must not see an
 * end of file before.
 */
const escrow: Scenario<Escrow> = {
  name: 'pipe-escrow-3',
  agents: 3,
  mortals: [0],
  setUp: () => ({ pipe: link(new PipeCore()), ring: link(new Ring()) }),
  program: ({ pipe: shared, ring: queue }, helper) => {
    const ring = open(Ring, queue)
    const { waiting } = ring.session
    if (helper.me === 2) {
      const pipe = openEnd(shared, 1)
      return () => receiveAll(pipe, 1, helper)
    }
    if (helper.me === 0) {
      const pipe = openEnd(shared, 0)
      return () => {
        const stamp = pipe.give(0, pipe.depart(0), queue.index)
        waiting.block(ring.ring.putting([Uint8Array.of(1)], [stamp]), Infinity)
        pipe.letGo(0)
      }
    }
    const pipe = openPipe(shared)
    return () => {
      const taken = waiting.block(ring.ring.claiming(), Infinity)
      if (taken !== PENDING) taken.read(() => pipe.arrive(0, 0))
      send(pipe, 0, 1, helper)
      pipe.letGo(0)
    }
  },
  // Who dies before it has put the end leaves it to the queue until that ends.
  mayWait: ({ ring: queue }, { killed }) => killed[0] === true && open(Ring, queue).ring.put === 0,
  check: ({ ring: queue }, { helper, killed }) => {
    if (open(Ring, queue).ring.put === 0 || killed[1] === true) return
    helper.expect(helper.counted(RECEIVED) === 1, 'what was sent by an end in flight is received')
  },
}

/** As before, but agent 1 dies: before it has taken the end that stays held, after that agent 2 sees the end of file. */
const escrowTaken: Scenario<Escrow> = {
  ...escrow,
  name: 'pipe-escrow-taken-3',
  mortals: [1],
  mayWait: ({ ring: queue }, { killed }) =>
    killed[1] === true && open(Ring, queue).ring.taken === 0,
}

export const pipes: readonly Scenario<never>[] = [
  endOfFile,
  endOfFileAsync,
  broken,
  passedOn,
  escrow,
  escrowTaken,
] as readonly unknown[] as readonly Scenario<never>[]
