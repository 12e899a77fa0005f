/**
 * Keeps the end of a child's output from being lost when it exits.
 *
 * Node queues what a full pipe does not take, and drops the queue at `process.exit()`. A child
 * writes to pipes synchronously instead, as Python does.
 *
 * @module
 */

interface Blocking {
  _handle?: { setBlocking?(blocking: boolean): number } | null
}

/** Makes the standard streams write synchronously, when the program first asks for them. */
export function keepOutputWhole(): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const original = Object.getOwnPropertyDescriptor(process, name)
    if (original?.get === undefined || original.configurable !== true) continue
    // Asking for a stream loads and opens it, which most children never need.
    Object.defineProperty(process, name, {
      ...original,
      get() {
        Object.defineProperty(process, name, original)
        const stream = process[name] as Blocking
        stream._handle?.setBlocking?.(true)
        return stream
      },
    })
  }
}
