/** Pools of tests, which end with them. */
import { Pool, type PoolOptions } from '@mp/pool'

const pools: Pool[] = []

export function makePool(options: number | PoolOptions): Pool {
  const pool = new Pool(options)
  pools.push(pool)
  return pool
}

export async function endPools(): Promise<void> {
  for (const pool of pools.splice(0)) {
    pool.terminate()
    await pool.join({ timeout: 10_000 })
  }
}
