/**
 * What clients ask of a pool, and what it answers. Functions, arguments and results are encoded already, and stay so on
 * their way through the pool's process.
 *
 * @module
 */
import type { PoolLine } from './line.js'

/** A client has come: where its answers go, and its tag. */
export type Hello = readonly ['hello', client: number, line: PoolLine, tag: number]

/** A client has a task. */
export type Ask = readonly [
  'ask',
  client: number,
  id: number,
  mode: number,
  items: number,
  name: string,
  fn: Uint8Array,
  payload: Uint8Array,
  timeoutMs: number,
  retries: number,
  priority: number,
]

/** A client does not want a task any more; `discard`: what runs may end by itself. */
export type CallOff = readonly ['call off' | 'discard', client: number, id: number]

/** There are to be so many workers. */
export type Resize = readonly ['resize', client: number, processes: number]

export type Request = Hello | Ask | CallOff | Resize
