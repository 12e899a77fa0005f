/**
 * The first words over a socket: each side shows the other that it knows the key.
 *
 * Until both have, at most 97 bytes of the other side are looked at, and of these only fields at fixed
 * places. The client proves itself first: a listener tells strangers nothing that depends on
 * the key.
 *
 * 1. Both send a hello (`hello.ts`).
 * 2. Without a key on either side that is all. With a key on one side only, both give up.
 * 3. The client sends its proof.
 * 4. The listener answers with one byte, 1 when it accepts the proof, and a proof of its own (zeros
 *    when it does not accept).
 *
 * @module
 */
import { AuthenticationError } from '../errors.js'
import * as hello from './hello.js'
import type { SocketReader } from './reader.js'

/** What this side brings along. */
export interface Terms {
  readonly key: Uint8Array | undefined
  /** The longest message that it takes. */
  readonly maxMessageBytes: number
}

/** What is known once both agree. */
export interface Agreement {
  /** The longest message that the other side takes. */
  readonly peerMaxMessageBytes: number
}

const ACCEPTED = 1
const REFUSED = 0

/** Whatever comes, it is looked at when it is whole. */
const accept = (): void => {}

/** The listener's side. Throws when the other side may not come in, and the signal's reason when that aborts. */
export async function admit(
  reader: SocketReader,
  terms: Terms,
  signal: AbortSignal,
): Promise<Agreement> {
  const { mine, theirs, agreement } = await greet(reader, terms, 'L', signal)
  const { key } = terms
  if (key === undefined) return agreement
  const proof = await reader.exactly(hello.PROOF_BYTES, accept, signal)
  // Whoever knows the key waits for our answer.
  const isRight = hello.isProof(proof, hello.prove(key, 'C', mine, theirs)) && !reader.hasMore()
  const answer = new Uint8Array(1 + hello.PROOF_BYTES)
  if (isRight) answer.set(hello.prove(key, 'L', mine, theirs), 1)
  answer[0] = isRight ? ACCEPTED : REFUSED
  await reader.say(answer)
  if (!isRight) throw new AuthenticationError('The client does not know the authKey')
  return agreement
}

/** The client's side. Throws when the listener does not let us in, or is not who it should be. */
export async function ask(
  reader: SocketReader,
  terms: Terms,
  signal: AbortSignal,
): Promise<Agreement> {
  const { mine, theirs, agreement } = await greet(reader, terms, 'C', signal)
  const { key } = terms
  if (key === undefined) return agreement
  await reader.say(hello.prove(key, 'C', theirs, mine))
  const answer = await reader.exactly(1 + hello.PROOF_BYTES, accept, signal)
  if (answer[0] !== ACCEPTED) {
    throw new AuthenticationError('The listener does not accept our authKey')
  }
  if (!hello.isProof(answer.subarray(1), hello.prove(key, 'L', theirs, mine))) {
    throw new AuthenticationError('The listener does not know the authKey')
  }
  return agreement
}

async function greet(
  reader: SocketReader,
  { key, maxMessageBytes }: Terms,
  role: hello.Role,
  signal: AbortSignal,
): Promise<{ mine: Uint8Array; theirs: Uint8Array; agreement: Agreement }> {
  const hasKey = key !== undefined
  const mine = hello.writeHello(role, { hasKey, maxMessageBytes })
  await reader.say(mine)
  const theirs = await reader.exactly(hello.HELLO_BYTES, hello.checkHelloStart, signal)
  const other = hello.readHello(theirs, role === 'L' ? 'C' : 'L')
  if (other.hasKey !== hasKey) {
    const [has, hasNot] = role === 'L' ? ['client', 'listener'] : ['listener', 'client']
    throw new AuthenticationError(
      other.hasKey
        ? `The ${has} has an authKey, this ${hasNot} has none`
        : `The ${has} has no authKey, this ${hasNot} has one`,
    )
  }
  return { mine, theirs, agreement: { peerMaxMessageBytes: other.maxMessageBytes } }
}
