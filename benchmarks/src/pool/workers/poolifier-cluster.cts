/**
 * The worker of poolifier, as a process. It is CommonJS: an ES module is still being loaded when the pool's greeting
 * arrives, which is lost then, and the pool waits for ever (poolifier 5.3.2).
 */
const { ClusterWorker } = require('poolifier') as typeof import('poolifier')
const { echo, noop, work } = require('./functions.js') as typeof import('./functions.js')

module.exports = new ClusterWorker<unknown, unknown>({
  noop,
  echo: (bytes) => echo(bytes as Uint8Array),
  work: (seed) => work(seed as number),
})
