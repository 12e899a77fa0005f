/**
 * How many processors this process may use.
 *
 * The smaller of what the scheduler lets it run on and what its control groups let it consume.
 * Newer Nodes count both themselves; Node 20 only the first. As libuv's `uv_available_parallelism`.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Returns the number of processors that this process may use: affinity and cgroup limits count. */
export function cpuCount(): number {
  return Math.max(1, Math.floor(Math.min(availableParallelism(), cgroupLimit(readText))))
}

/** Reads a file; undefined when there is none. */
type Read = (path: string) => string | undefined

/** How many processors the control groups of this process leave it; Infinity without a limit. */
export function cgroupLimit(read: Read): number {
  let limit = Infinity
  for (const line of read('/proc/self/cgroup')?.split('\n') ?? []) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (controllers === undefined || path === undefined) continue
    if (controllers === '')
      limit = Math.min(
        limit,
        lowest(path, (group) => unified(read, group)),
      )
    if (controllers.split(',').includes('cpu')) {
      limit = Math.min(
        limit,
        lowest(path, (group) => legacy(read, controllers, group)),
      )
    }
  }
  return limit
}

/** A group is bound by its ancestors as well. In a container the path may not be there, its root is. */
function lowest(path: string, limitOf: (group: string) => number): number {
  let limit = Infinity
  for (let group = path; group !== ''; group = group.slice(0, group.lastIndexOf('/'))) {
    limit = Math.min(limit, limitOf(group === '/' ? '' : group))
  }
  return Math.min(limit, limitOf(''))
}

/** cgroup v2: `max 100000` or `150000 100000`. */
function unified(read: Read, group: string): number {
  const [quota, period] = read(`/sys/fs/cgroup${group}/cpu.max`)?.split(' ') ?? []
  return quotient(quota, period)
}

/** cgroup v1: a quota of -1 means none. */
function legacy(read: Read, controllers: string, group: string): number {
  const directory = `/sys/fs/cgroup/${controllers}${group}`
  return quotient(read(`${directory}/cpu.cfs_quota_us`), read(`${directory}/cpu.cfs_period_us`))
}

function quotient(quota: string | undefined, period: string | undefined): number {
  const limit = Number(quota) / Number(period)
  return limit > 0 ? limit : Infinity
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
