/** Pools of tests, which end with them. */
import { type ExecutorOptions, Pool, type PoolOptions, ProcessPoolExecutor } from '@mp/pool'

const pools: Pool[] = []

export function makePool(options: number | PoolOptions): Pool {
  const pool = new Pool(options)
  pools.push(pool)
  return pool
}

export function makeExecutor(options: number | ExecutorOptions): ProcessPoolExecutor {
  const executor = new ProcessPoolExecutor(options)
  pools.push(executor.pool)
  return executor
}

export async function endPools(): Promise<void> {
  for (const pool of pools.splice(0)) {
    pool.terminate()
    await pool.join({ timeout: 10_000 })
  }
}
