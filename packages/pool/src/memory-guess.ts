/**
 * Guesses whether a worker ended because it had no memory left.
 *
 * Node aborts itself when its heap is full. The kernel kills a process with SIGKILL, and counts that: in the control
 * group, and for the whole machine.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { constants } from 'node:os'

const { SIGABRT, SIGKILL } = constants.signals

export class MemoryGuess {
  #killed = kills()

  /** To be asked once for each worker that has ended. */
  isOutOfMemory(exitCode: number | null): boolean {
    if (exitCode === -SIGABRT || exitCode === 128 + SIGABRT) return true
    if (exitCode !== -SIGKILL) return false
    const before = this.#killed
    this.#killed = kills()
    return this.#killed > before
  }
}

/** How many processes the kernel has killed for want of memory. */
function kills(): number {
  return (
    counter('/sys/fs/cgroup/memory.events', /^oom_kill (\d+)$/m) +
    counter('/proc/vmstat', /^oom_kill (\d+)$/m)
  )
}

function counter(path: string, line: RegExp): number {
  try {
    return Number(line.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    // Not every kernel has it; then nothing is guessed.
    return 0
  }
}
