/**
 * The processes that a test has started, found in `/proc`.
 *
 * Ours is what descends from this process, which one that has lost its parent no longer does; and
 * what has a mark in its environment, which one that was given another environment has not.
 *
 * @module
 */
import { readFileSync, readdirSync } from 'node:fs'

/** A process, also one that has ended and was not waited for. */
export interface FoundProcess {
  readonly pid: number
  readonly parentPid: number
  /** As `ps` shows it; `Z`: it has ended, and its parent has not asked how. */
  readonly state: string
  /** Its command line, for people. */
  readonly command: string
}

/** A variable in the environment of whatever a test starts. */
export interface Mark {
  readonly name: string
  readonly value: string
}

/** Finds the processes that descend from this one. */
export function descendants(): FoundProcess[] {
  const all = [...listProcesses()]
  const found: FoundProcess[] = []
  const pids = new Set([process.pid])
  // A parent may come after its child in the list.
  for (let size = 0; size < pids.size;) {
    size = pids.size
    for (const one of all) {
      if (!pids.has(one.parentPid) || pids.has(one.pid)) continue
      pids.add(one.pid)
      found.push(one)
    }
  }
  return found
}

/** Finds the processes that were started with this mark, but for this one. It does not find those that have ended. */
export function marked({ name, value }: Mark): FoundProcess[] {
  const entry = Buffer.from(`${name}=${value}\0`)
  return [...listProcesses()].filter(({ pid }) => {
    return pid !== process.pid && readProc(pid, 'environ')?.includes(entry)
  })
}

/** Sends SIGKILL; one that is gone is none the worse. */
export function killProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function* listProcesses(): Generator<FoundProcess> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const pid = Number(name)
    // "pid (name) state ppid …"; the name may hold anything, also parentheses.
    const stat = readProc(pid, 'stat')?.toString()
    const match = /^\d+ \((.*)\) (\S) (\d+) /s.exec(stat ?? '')
    if (match === null) continue
    const [, own = '', state = '', parentPid] = match
    const argv = readProc(pid, 'cmdline')?.toString().replaceAll('\0', ' ').trim()
    yield { pid, parentPid: Number(parentPid), state, command: argv || own }
  }
}

/** Null for a process that has just ended, and for what somebody else's does not show. */
function readProc(pid: number, file: string): Buffer | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM') return null
    throw error
  }
}
