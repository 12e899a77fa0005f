/**
 * Measures how long a dead holder's lock takes into new hands: `node scripts/death-latency.mjs [rounds]`.
 *
 * A process holds the lock and is killed; another one waits. Their parent is blocked meanwhile: its event
 * loop, which hears of its children's ends as well, does not help. With pidfds, and as if there were none.
 */
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Process } from '@mp/process'
import { SharedArray, SharedValue } from '@mp/shared-memory'
import { Lock } from '@mp/sync'

/** Milliseconds on the clock that all processes share. */
const now = () => Number(process.hrtime.bigint()) / 1e6

const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

function hold(lock, ready) {
  lock.acquireSync()
  ready.add(1)
  // Nothing but its death gives the lock back.
  setInterval(() => {}, 1_000)
}

async function wait(form, lock, rounds, turn, killedAt, latencies) {
  for (let round = 1; round <= rounds; round++) {
    while (turn.value < 2 * round - 1) block(1)
    const guard = form === 'sync' ? lock.acquireSync() : await lock.acquire()
    latencies.array[round - 1] = now() - killedAt.value
    if (!guard.ownerDied) throw new Error('It was not taken from the dead')
    guard.release()
    turn.add(1)
  }
}

async function measure(form, rounds) {
  const lock = new Lock()
  const [ready, turn] = [new SharedValue('i32'), new SharedValue('i32')]
  const killedAt = new SharedValue('f64')
  const latencies = new SharedArray(Float64Array, rounds)
  const args = [form, lock, rounds, turn, killedAt, latencies]
  const waiter = new Process({ target: wait, args }).start()
  for (let round = 1; round <= rounds; round++) {
    const holder = new Process({ target: hold, args: [lock, ready] }).start()
    while (ready.value < round) await sleep(1)
    turn.value = 2 * round - 1
    // By then the waiter is asleep.
    block(20)
    killedAt.value = now()
    holder.kill()
    while (turn.value < 2 * round) block(1)
    await holder.join()
  }
  await waiter.join()
  return latencies.array.slice().sort()
}

const [, , roundsGiven, way] = process.argv
const rounds = Number(roundsGiven ?? 100)
if (way === undefined) {
  for (const [name, MP_NO_PIDFD] of [
    ['by events', ''],
    ['by probes', '1'],
  ]) {
    const args = [fileURLToPath(import.meta.url), String(rounds), name]
    const env = { ...process.env, MP_NO_PIDFD }
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env })
    if (status !== 0) process.exit(1)
  }
} else {
  for (const form of ['sync', 'async']) {
    const latencies = await measure(form, rounds)
    const [median, worst] = [latencies[rounds >> 1], latencies[rounds - 1]]
    console.log(
      `${way}, ${form} waiter, ${rounds} deaths: median ${median.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`,
    )
  }
}
