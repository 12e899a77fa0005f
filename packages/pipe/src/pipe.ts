/**
 * Making pipes.
 *
 * @module
 */
import { wrongType } from '@mp/shared-memory/internal'
import { Connection } from './connection.js'
import { PipeCore } from './pipe-core.js'

/** Options of `Pipe`. */
export interface PipeOptions {
  /**
   * Whether both ends send and receive. If not, the first only receives and the second only sends.
   *
   * @default true
   */
  duplex?: boolean
}

/**
 * Makes a pipe and gives its two ends.
 *
 * Each end may be held by any number of processes; send an end to a process and close it here when only that one
 * is to have it: then its death is the end of file on the other side.
 *
 * @example
 * const [here, there] = Pipe<string, number>()
 * new Process({ target: worker, args: [there] }).start()
 * there.close()
 * await here.send('how many?')
 */
export function Pipe<A = unknown, B = A>(
  options: PipeOptions = {},
): [Connection<A, B>, Connection<B, A>] {
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', 'an object with `duplex`', options)
  }
  const { duplex = true } = options
  if (typeof duplex !== 'boolean') throw wrongType('duplex', 'a boolean', duplex)
  const pipe = new PipeCore()
  return [new Connection<A, B>(pipe, 0, duplex), new Connection<B, A>(pipe, 1, duplex)]
}
