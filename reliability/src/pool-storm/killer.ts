/**
 * Kills workers, from a thread of its own: that of the pool is busy, and would kill when it has time.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from '@mp/pool'
import type { SharedArray } from '@mp/shared-memory'
import { Random } from 'mp-internal'

/** Places in the array that the killer and the storm share. */
export const KILLER = { isOver: 0, kills: 1, spared: 2, length: 3 } as const

/** The target of the thread: until it is told that it is over. */
export async function killWorkers(
  pool: Pool,
  shared: SharedArray<Int32Array>,
  everyMs: number,
  seed: number,
): Promise<void> {
  const { array } = shared
  const random = new Random(seed)
  let before = -1
  for (; Atomics.load(array, KILLER.isOver) === 0; await sleep(everyMs)) {
    const { completed } = pool.stats().tasks
    const all = pool.processes
    const { pid } = all.length === 0 ? { pid: undefined } : random.pick(all)
    // However slow the machine is, something is done between two deaths.
    if (completed === before || pid === undefined) Atomics.add(array, KILLER.spared, 1)
    else if (kill(pid)) Atomics.add(array, KILLER.kills, 1)
    before = completed
  }
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has ended already.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}
