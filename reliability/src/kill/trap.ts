/**
 * Counts the atomics of this thread, and kills the process just before the k-th of them.
 *
 * It replaces the functions of the global `Atomics`: to be imported before any package that uses them.
 * Only SIGKILL is sure to end a process right there; what it interrupts runs no further.
 *
 * By default only those atomics count that can change a word. To die before a load leaves the same memory as to die
 * before the next change, so these are all the states that a death can leave behind; `all` counts the loads, too.
 *
 * @module
 */

export type Counted = 'changes' | 'all'

const CHANGES = ['store', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange'] as const

const step = { count: 0, fatal: 0, onFatal: () => {} }

function wrap(name: string): void {
  const target = Atomics as unknown as Record<string, (...args: unknown[]) => unknown>
  const real = target[name]
  target[name] = (...args) => {
    if (step.fatal !== 0 && ++step.count === step.fatal) dieNow()
    return real(...args)
  }
}

for (const name of CHANGES) wrap(name)

function dieNow(): never {
  step.fatal = 0
  step.onFatal()
  die()
}

/** Ends this process as nothing else does: no handler, no destructor, no flush. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL')
  // The signal is there before the call returns to JavaScript; should it ever not be, nothing must happen meanwhile.
  for (;;);
}

/**
 * From now on counts; the `fatal`-th atomic from here does not happen.
 *
 * @param onFatal runs just before the death; its atomics do not count.
 */
export function arm(fatal: number, counted: Counted, onFatal: () => void): void {
  if (counted === 'all') wrap('load')
  Object.assign(step, { count: 0, fatal, onFatal })
}

/** Counts no more; gives how many there were. */
export function disarm(): number {
  step.fatal = 0
  return step.count
}
