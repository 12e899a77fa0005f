/** The worker of poolifier, as a thread. */
import { ThreadWorker } from 'poolifier'
import { echo, noop, work } from './functions.js'

const worker: ThreadWorker<unknown, unknown> = new ThreadWorker<unknown, unknown>({
  noop,
  echo: (bytes) => echo(bytes as Uint8Array),
  work: (seed) => work(seed as number),
})

export default worker
