/**
 * What is explored: some agents, each with a program, over shared objects.
 *
 * @module
 */
import { Attachment, type SharedObject } from '@mp/shared-memory/internal'

/** How to open an object that another agent has made. */
export interface Link {
  readonly index: number
  readonly generation: number
}

/** What a program can do beside using the objects. */
export interface Helper {
  /** Which agent this is. */
  readonly me: number
  /**
   * Says that this agent is now in a section of that number, and fails if too many are.
   *
   * @returns whether somebody has died in it since the last agent entered.
   */
  enter(section: number, room?: number): boolean
  leave(section: number): void
  /** Whether a living agent is in the section. */
  isInside(section: number): boolean
  /** Adds to a counter of the scenario, at once; gives what it was. */
  count(counter: number, n?: number): number
  /** What a counter of the scenario is now. */
  counted(counter: number): number
  /** Fails the exploration if `isSo` is false. */
  expect(isSo: boolean, what: string): void
  /** A signal that may be aborted whenever the event loop is free. */
  signal(): AbortSignal
}

/** What is so at the end. */
export interface Ending {
  readonly helper: Helper
  /** By agent: whether it was killed. */
  readonly killed: readonly boolean[]
}

export interface Scenario<Shared = unknown> {
  readonly name: string
  readonly agents: number
  /** Makes the shared objects. What it gives is passed to the programs. */
  setUp(): Shared
  /** Opens what an agent needs, which is no part of the exploration, and gives its program, which is. */
  program(shared: Shared, helper: Helper): () => void | PromiseLike<void>
  /** Looks at the objects when all have ended and the dead are reaped, from an agent of its own. */
  check?(shared: Shared, ending: Ending): void
  /** Whether those who still wait when nothing can happen any more do so rightly; left out: never. */
  mayWait?(shared: Shared, ending: Ending): boolean
  /** Which agents may be killed; left out: all. */
  readonly mortals?: readonly number[]
  /** How often 2 ms may pass at any moment. */
  readonly ticks?: number
  /** How often a timeout may come before everything else has happened. */
  readonly jumps?: number
  /** Whether it is right that somebody waits until time is up. */
  readonly usesTime?: boolean
}

type HandleClass<T> = abstract new (...args: never[]) => T

/** Names an object for other agents. */
export function link({ handle }: SharedObject): Link {
  return { index: handle.index, generation: handle.generation }
}

/** Opens an object that another agent has made. */
export function open<T extends SharedObject>(
  type: HandleClass<T>,
  { index, generation }: Link,
  extra?: unknown,
): T {
  const Handle = type as unknown as new (attachment: Attachment) => T
  return new Handle(new Attachment(index, generation, extra))
}
