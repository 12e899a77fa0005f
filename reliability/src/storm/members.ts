/**
 * The agents of a storm, as the director sees them: started, stopped, ended, replaced.
 *
 * @module
 */
import { type Connection, EOFError, Pipe } from '@mp/pipe'
import { Process } from '@mp/process'
import { runAgent } from './agent.js'
import { type Ledger, ORDER } from './ledger.js'
import type { Objects } from './objects.js'

export type Kind = 'process' | 'thread'

/** The ways in which an agent is ended. */
export const ENDS = ['kill', 'exit', 'throw', 'exhaust'] as const
export type End = (typeof ENDS)[number]

export interface Member {
  readonly agent: number
  readonly kind: Kind
  readonly process: Process<typeof runAgent>
  /** When its end was decided, by the session's clock. */
  endedAt: number | undefined
  isStopped: boolean
  /** What it has written to stderr, the last of it. */
  errors: string
  /** Resolves with its exit code when all is over. */
  readonly over: Promise<number | null>
  /** Resolves when its lifeline has ended. */
  readonly lost: Promise<void>
}

export interface Cast {
  readonly ledger: Ledger
  readonly objects: Objects
  readonly folder: string
}

/** Kept of stderr, in characters. */
const ERRORS_KEPT = 4_000

/** Starts an agent. */
export function startMember(cast: Cast, kind: Kind, agent: number, seed: number): Member {
  const { ledger, objects, folder } = cast
  const [own, lifeline] = Pipe<never, never>()
  const process = new Process({
    target: runAgent,
    args: [{ agent, seed, folder, block: ledger.block, objects, lifeline }],
    name: `agent ${agent}`,
    startMethod: kind === 'thread' ? 'thread' : 'spawn',
    stdio: ['ignore', 'ignore', 'pipe'],
    // Little, so that it is soon exhausted.
    ...(kind === 'process' && { execArgv: ['--max-old-space-size=48'] }),
  })
  ledger.highest = agent
  process.start()
  lifeline.close()
  const member: Member = {
    agent,
    kind,
    process,
    endedAt: undefined,
    isStopped: false,
    errors: '',
    over: process.join(),
    lost: untilLost(own),
  }
  process.stderr?.on('data', (data: Buffer) => {
    member.errors = (member.errors + data.toString()).slice(-ERRORS_KEPT)
  })
  return member
}

/** Ends an agent, in one of the ways. */
export function endMember({ ledger }: Cast, member: Member, end: End, now: number): void {
  ledger.markDying(member.agent)
  member.endedAt = now
  if (end === 'kill') member.process.kill()
  else ledger.giveOrder(member.agent, ORDER[end])
}

async function untilLost(own: Connection<never, never>): Promise<void> {
  try {
    await own.recv()
  } catch (error) {
    if (!(error instanceof EOFError)) throw error
  } finally {
    own.close()
  }
}
