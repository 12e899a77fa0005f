/**
 * What `Listener.listen()` and `Client()` take, checked.
 *
 * @module
 */
import { constants } from 'node:buffer'
import { checkInteger, outOfRange, wrongType } from '@mp/shared-memory/internal'
import type { Terms } from './handshake.js'

/** What both sides may set. */
export interface SocketOptions {
  /**
   * A secret that both sides know. Each proves to the other that it does, without sending it.
   *
   * Without one anybody who can connect may send, so only data is accepted: no functions, no instances of classes.
   *
   * @default none
   */
  authKey?: string | Uint8Array | undefined
  /**
   * The longest message to receive, in bytes. The other side cannot send a longer one.
   *
   * @default 2 GiB with an `authKey`, 64 MiB without
   */
  maxMessageBytes?: number | undefined
}

const DEFAULT_MAX = 2 ** 31
const DEFAULT_MAX_FROM_STRANGERS = 2 ** 26

export function checkOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', 'an object', options)
  }
}

export function checkTerms({ authKey, maxMessageBytes }: SocketOptions): Terms {
  const key = checkKey(authKey)
  const fallback = key === undefined ? DEFAULT_MAX_FROM_STRANGERS : DEFAULT_MAX
  const max = checkInteger('maxMessageBytes', maxMessageBytes ?? fallback, 1, constants.MAX_LENGTH)
  return { key, maxMessageBytes: max }
}

function checkKey(authKey: unknown): Uint8Array | undefined {
  if (authKey === undefined) return undefined
  if (typeof authKey !== 'string' && !(authKey instanceof Uint8Array)) {
    // Not quoted as other values are: it may be a secret all the same.
    throw wrongType('authKey', 'a string or a Uint8Array', typeof authKey)
  }
  // A copy: the caller may wipe its own.
  const key = typeof authKey === 'string' ? Buffer.from(authKey) : authKey.slice()
  if (key.byteLength === 0) throw outOfRange('authKey', 'of at least one byte', '')
  return key
}
