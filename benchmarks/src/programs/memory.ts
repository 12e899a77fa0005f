/**
 * How much memory processes have: their proportional share (PSS), in which a page that several share counts once.
 *
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs'

/** The share of one process, in bytes. */
export function shareOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return 1024 * Number(/^Pss:\s+(\d+)/m.exec(text)?.[1])
}

/** The shares of this process and of all that descend from it. */
export function shareOfTree(): number {
  const parents = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((pid) => {
        const parent = parentOf(pid)
        return parent === undefined ? [] : [[Number(pid), parent] as const]
      }),
  )
  const isOurs = (pid: number | undefined): boolean =>
    pid !== undefined && (pid === process.pid || isOurs(parents.get(pid)))
  return [...parents.keys()].filter(isOurs).reduce((sum, pid) => sum + shareOf(pid), 0)
}

function parentOf(pid: string): number | undefined {
  try {
    // What follows the name, which is in parentheses and may have any: state, parent.
    return Number(/.*\) \S+ (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1])
  } catch {
    return undefined // it has ended since: it has no memory any more
  }
}
