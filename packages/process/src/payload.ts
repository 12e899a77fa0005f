/**
 * What travels to a child: a header of plain facts, then what the serializer made.
 *
 * The header is readable without running anything, so that a child whose target cannot be
 * revived can still say who it is.
 *
 * | bytes | meaning                                   |
 * | ----- | ----------------------------------------- |
 * | 4     | length of the header                      |
 * | …     | the header, JSON                          |
 * | …     | `Body`, by `@mp/pickle`                   |
 *
 * @module
 */
import type { Surroundings } from './forkserver/protocol.js'
import type { StartMethod } from './options.js'
import type { ThreadStream } from './thread-output.js'

/** Facts about the child. */
export interface Header {
  readonly name: string
  readonly daemon: boolean
  readonly identity: readonly number[]
  /** The child's own default. */
  readonly startMethod: StartMethod
  /** The parent's `process.argv` without the first. */
  readonly argv: readonly string[]
  readonly parent: { readonly name: string; readonly pid: number }
  /** Where a thread's standard output and error go; empty for a process. */
  readonly streams: readonly ThreadStream[]
  /** For a fork of the server, which has others. */
  readonly surroundings?: Surroundings
}

/** What the child runs. */
export interface Body {
  /** Its class, when that is a subclass of the user. */
  readonly subclass: (abstract new (...args: never[]) => object) | undefined
  /** Own enumerable fields of the Process object. */
  readonly fields: Record<string, unknown>
  readonly target: unknown
  readonly args: readonly unknown[]
}

export function packPayload(header: Header, body: Uint8Array): Uint8Array {
  const head = new TextEncoder().encode(JSON.stringify(header))
  const payload = new Uint8Array(4 + head.byteLength + body.byteLength)
  new DataView(payload.buffer).setUint32(0, head.byteLength, true)
  payload.set(head, 4)
  payload.set(body, 4 + head.byteLength)
  return payload
}

export function unpackPayload(payload: Uint8Array): { header: Header; body: Uint8Array } {
  const { buffer, byteOffset } = payload
  const end = 4 + new DataView(buffer, byteOffset).getUint32(0, true)
  const header = JSON.parse(new TextDecoder().decode(payload.subarray(4, end))) as Header
  return { header, body: payload.subarray(end) }
}
