/**
 * Says that it is there, and waits until it is told to end: what a start of Node's own is measured with.
 *
 * @module
 */
import { parentPort } from 'node:worker_threads'

if (parentPort !== null) {
  parentPort.once('message', () => parentPort?.close())
  parentPort.postMessage('ready')
} else if (process.send !== undefined) {
  process.once('message', () => process.disconnect())
  process.send('ready')
} else {
  process.stdin.resume()
  process.stdout.write('ready\n')
}
