/**
 * What all connections have in common, be they within a session or over a socket.
 *
 * @module
 */
import type { WaitOptions } from '@mp/shared-memory/internal'

/** One end of a way to send and receive: `Connection` and `SocketConnection` are such. */
export interface ConnectionLike<Send = unknown, Receive = Send> extends Disposable {
  readonly readable: boolean
  readonly writable: boolean
  readonly closed: boolean
  send(value: Send, options?: WaitOptions): Promise<void>
  sendSync(value: Send, options?: WaitOptions): void
  recv(options?: WaitOptions): Promise<Receive>
  recvSync(options?: WaitOptions): Receive
  poll(options?: WaitOptions): Promise<boolean>
  pollSync(options?: WaitOptions): boolean
  sendBytes(
    bytes: ArrayBufferView | ArrayBuffer,
    offset?: number,
    size?: number,
    options?: WaitOptions,
  ): Promise<void>
  sendBytesSync(
    bytes: ArrayBufferView | ArrayBuffer,
    offset?: number,
    size?: number,
    options?: WaitOptions,
  ): void
  recvBytes(maxLength?: number, options?: WaitOptions): Promise<Uint8Array>
  recvBytesSync(maxLength?: number, options?: WaitOptions): Uint8Array
  recvBytesInto(
    view: ArrayBufferView | ArrayBuffer,
    offset?: number,
    options?: WaitOptions,
  ): Promise<number>
  recvBytesIntoSync(
    view: ArrayBufferView | ArrayBuffer,
    offset?: number,
    options?: WaitOptions,
  ): number
  close(): void
  [Symbol.asyncIterator](): AsyncIterator<Receive>
}
