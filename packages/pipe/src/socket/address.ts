/**
 * Where a listener is.
 *
 * @module
 */
import { checkInteger, outOfRange, wrongType } from '@mp/shared-memory/internal'

/** A port of this machine or another. */
export interface TcpAddress {
  /**
   * A name or an IP address.
   *
   * @default '127.0.0.1': this machine only
   */
  host?: string
  /** For a listener, 0 is any that is free. */
  port: number
}

/** The path of a Unix socket, or a port. */
export type Address = string | TcpAddress

/** What `net` calls it. */
export type NetAddress = { path: string } | { host: string; port: number }

/** The longest path of a Unix socket, in bytes: `sun_path` has 108, with a zero. See unix(7). */
export const MAX_PATH = 107

const LOCAL = '127.0.0.1'

export function checkAddress(address: unknown, minPort: number): NetAddress {
  if (typeof address === 'string') return { path: checkPath(address) }
  if (typeof address !== 'object' || address === null) {
    throw wrongType('address', 'the path of a Unix socket, or { host, port }', address)
  }
  const { host = LOCAL, port } = address as Partial<TcpAddress>
  if (typeof host !== 'string') throw wrongType('host', 'a string', host)
  if (host === '') throw outOfRange('host', 'a name or an IP address', host)
  return { host, port: checkInteger('port', port, minPort, 65_535) }
}

function checkPath(path: string): string {
  // Node would cut a path that is too long.
  if (path === '' || path.includes('\0') || Buffer.byteLength(path) > MAX_PATH) {
    throw outOfRange('address', `a path of 1 to ${MAX_PATH} bytes`, path)
  }
  return path
}
