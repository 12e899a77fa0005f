/**
 * What the two sides of a socket say first, and how each proves that it knows the key.
 *
 * A hello has 64 bytes, numbers big-endian:
 *
 * | bytes | what it is                                                             |
 * | ----- | ---------------------------------------------------------------------- |
 * | 0–7   | `@mp/pipe`                                                             |
 * | 8     | version                                                                |
 * | 9     | role: `L` for the listener, `C` for the client                         |
 * | 10    | 1: asks for a proof and gives one; 0: does neither                     |
 * | 11    | 0                                                                      |
 * | 12–19 | the longest message that it takes, in bytes                            |
 * | 20–31 | name of the digest, with zeros behind it                               |
 * | 32–63 | challenge: random bytes of this connection alone                       |
 *
 * A proof is an HMAC over the role of whoever gives it and both hellos. So it is of no use on another
 * connection, in the other role (a challenge that is sent back proves nothing), or when anything of a
 * hello was changed on the way.
 *
 * @module
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { AuthenticationError } from '../errors.js'

export const HELLO_BYTES = 64
export const PROOF_BYTES = 32

export type Role = 'L' | 'C'

const MAGIC = Buffer.from('@mp/pipe')
const VERSION = 1
const DIGEST = 'sha256'
const CHALLENGE = 32

/** What one side says of itself. */
export interface Hello {
  readonly hasKey: boolean
  readonly maxMessageBytes: number
}

export function writeHello(role: Role, { hasKey, maxMessageBytes }: Hello): Uint8Array {
  const hello = Buffer.alloc(HELLO_BYTES)
  MAGIC.copy(hello)
  hello[8] = VERSION
  hello.write(role, 9, 'latin1')
  hello[10] = hasKey ? 1 : 0
  hello.writeBigUInt64BE(BigInt(maxMessageBytes), 12)
  hello.write(DIGEST, 20, 'latin1')
  randomBytes(HELLO_BYTES - CHALLENGE).copy(hello, CHALLENGE)
  return hello
}

/** Throws as soon as what has come cannot be the start of a hello. */
export function checkHelloStart(start: Uint8Array): void {
  const length = Math.min(start.byteLength, MAGIC.byteLength)
  if (MAGIC.compare(start, 0, length, 0, length) !== 0) {
    throw new AuthenticationError('The other side is no Listener or Client')
  }
}

/** Reads a hello of somebody in that role. */
export function readHello(bytes: Uint8Array, role: Role): Hello {
  checkHelloStart(bytes)
  const hello = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const digest = hello.toString('latin1', 20, CHALLENGE).replace(/\0+$/, '')
  if (hello[8] !== VERSION || digest !== DIGEST || hello[11] !== 0 || hello[10] > 1) {
    throw new AuthenticationError('The other side has another version of @mp/pipe')
  }
  if (hello.toString('latin1', 9, 10) !== role) {
    throw new AuthenticationError(
      role === 'L' ? 'The other side is no Listener' : 'The other side is no Client',
    )
  }
  const maxMessageBytes = Number(hello.readBigUInt64BE(12))
  return { hasKey: hello[10] === 1, maxMessageBytes }
}

/** What shows that whoever is in that role knows the key. */
export function prove(
  key: Uint8Array,
  role: Role,
  listenerHello: Uint8Array,
  clientHello: Uint8Array,
): Uint8Array {
  return createHmac(DIGEST, key)
    .update(`@mp/pipe ${VERSION} proof of ${role}\0`)
    .update(listenerHello)
    .update(clientHello)
    .digest()
}

/** Compares two proofs in a time that does not depend on where they differ. */
export function isProof(given: Uint8Array, right: Uint8Array): boolean {
  return given.byteLength === right.byteLength && timingSafeEqual(given, right)
}
