/**
 * Which packages this thread has loaded: its fork server loads the same before it makes children.
 *
 * In the global object, since a child has two copies of this module (`session.ts`).
 *
 * @module
 */
const urls: Set<string> = ((globalThis as Record<symbol, unknown>)[
  Symbol.for('@mp/shared-memory/loaded')
] ??= new Set()) as Set<string>

/** Notes a module that children want to have. */
export function noteLoaded(url: string): void {
  urls.add(url)
}

/** The URLs of all of them, in the order in which they were loaded. */
export function loadedModules(): string[] {
  return [...urls]
}
