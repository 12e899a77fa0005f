/**
 * Times a free lock of ours: `node lock.js SPEC`. Prints nanoseconds of CPU for taking it and giving it back.
 *
 * @module
 */
import { type Guard, Lock } from '@mp/sync'
import { ensure } from './spec.js'

/** What is timed; `python/locks.py` reads the same. */
export interface LockSpec {
  /**
   * `block`: a section that holds the lock, `with lock:` in Python; in ours what `using` compiles to. `calls`:
   * `lock.acquire()` and `lock.release()`. `bound`: the same, with Python's two methods looked up once before the loop.
   */
  readonly form: 'block' | 'calls' | 'bound'
  readonly count: number
}

const { form, count } = JSON.parse(process.argv[2]) as LockSpec
const lock = new Lock()
const run = form === 'block' ? blocks : calls
run(Math.ceil(count / 5))
const before = process.cpuUsage()
const inside = run(count)
const { user, system } = process.cpuUsage(before)
ensure(inside === count && lock.tryAcquire() !== null, 'The lock is not free')
lock.release()
// The counter has steps of a microsecond: what took less took one.
process.stdout.write(`${(Math.max(1, user + system) * 1_000) / count}\n`)

function blocks(times: number): number {
  let inside = 0
  for (let i = 0; i < times; i++) {
    const guard = lock.acquireSync() as Guard
    try {
      inside++
    } finally {
      guard[Symbol.dispose]()
    }
  }
  return inside
}

function calls(times: number): number {
  let inside = 0
  for (let i = 0; i < times; i++) {
    lock.acquireSync()
    inside++
    lock.release()
  }
  return inside
}
