/**
 * Tries on a machine what everything else rests on: `node scripts/try-machine.mjs`, after `pnpm build`.
 *
 * Processes and threads that share locks, queues, values and arrays, a death, a pool, a pipe. It needs nothing but the
 * packages, so it runs where the tests do not, such as in an emulator: there `NODE` names a script that starts Node in it, for
 * `qemu-aarch64 node` cannot start itself again.
 *
 *     NODE=./node-arm64 ./node-arm64 scripts/try-machine.mjs   # node-arm64: exec qemu-aarch64 -L /usr/aarch64-linux-gnu …/bin/node "$@"
 *
 * @module
 */
import assert from 'node:assert/strict'
import * as mp from '@mp/multiprocessing'

if (process.env.NODE !== undefined) process.execPath = process.env.NODE

const TIMEOUT = { timeout: 60_000 }
const lock = new mp.Lock()
const queue = new mp.Queue()
const value = new mp.SharedValue('i32', 0)
const array = new mp.SharedArray(Float64Array, 2)

function work(index) {
  for (let i = 0; i < 200; i++) lock.acquireSync().release()
  for (let i = 0; i < 300; i++) value.add(1)
  array.array[index] = index + 0.5
  queue.putSync([index, process.arch, process.pid])
}

for (const startMethod of ['spawn', 'forkserver', 'thread']) {
  value.value = 0
  const children = [0, 1].map((index) =>
    new mp.Process({ target: work, args: [index], startMethod }).start(),
  )
  const got = [await queue.get(TIMEOUT), await queue.get(TIMEOUT)].toSorted(([a], [b]) => a - b)
  assert.deepEqual(
    got.map(([index, arch]) => [index, arch]),
    [
      [0, process.arch],
      [1, process.arch],
    ],
  )
  for (const [, , pid] of got) assert.equal(pid === process.pid, startMethod === 'thread')
  for (const child of children) assert.equal(await child.join(TIMEOUT), 0)
  assert.equal(value.value, 600)
  assert.deepEqual([...array], [0.5, 1.5])
  console.log(`${startMethod}: two children`)
}

const hold = () => {
  lock.acquireSync()
  queue.putSync('held')
  new mp.Event().waitSync()
}
const holder = new mp.Process({ target: hold }).start()
assert.equal(await queue.get(TIMEOUT), 'held')
holder.kill()
const guard = await lock.acquire(TIMEOUT)
assert.equal(guard?.ownerDied, true)
guard.release()
console.log('a dead holder')

const factor = 3
const pool = new mp.Pool(2)
assert.deepEqual(await pool.map((n) => n * factor, [1, 2, 3]), [3, 6, 9])
pool.terminate()
await pool.join(TIMEOUT)
console.log('a pool')

const [here, there] = mp.Pipe()
const answer = async () => {
  for await (const n of there) await there.send(n + 1)
}
const echo = new mp.Process({ target: answer }).start()
await here.send(41)
assert.equal(await here.recv(TIMEOUT), 42)
here.close()
there.close()
assert.equal(await echo.join(TIMEOUT), 0)
console.log('a pipe')

const { glibcVersionRuntime } = process.report.getReport().header
const libc = glibcVersionRuntime === undefined ? 'musl' : `glibc ${glibcVersionRuntime}`
console.log(`all well: Node ${process.versions.node}, ${process.arch}, ${libc}`)
