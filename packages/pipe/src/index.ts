/**
 * Connections between processes and threads.
 *
 * @module
 */
export {
  BytesLease,
  Lease,
  type LeaseOption,
  Loan,
  MessageTooLargeError,
} from '@mp/shared-memory/internal'
export type { SendableBytes } from './bytes.js'
export { Connection } from './connection.js'
export type { ConnectionLike } from './connection-like.js'
export {
  AuthenticationError,
  BrokenPipeError,
  BufferTooShortError,
  CorruptStreamError,
  EOFError,
  TruncatedMessageError,
} from './errors.js'
export { Pipe, type PipeOptions } from './pipe.js'
export type { Address, TcpAddress } from './socket/address.js'
export { Client, type ClientOptions } from './socket/client.js'
export { Listener, type ListenerOptions } from './socket/listener.js'
export type { SocketOptions } from './socket/options.js'
export { SocketConnection } from './socket/socket-connection.js'
export { wait, waitSync } from './wait.js'
