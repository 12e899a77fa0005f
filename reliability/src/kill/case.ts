/**
 * What a case of "kill at the k-th atomic" consists of, and who takes part.
 *
 * The *victim* is a process that performs one operation and dies in it. The *survivors* are this process, a second
 * one, and a worker thread of this one; they use or wait for the same objects.
 *
 * @module
 */
import type { SharedObject } from '@mp/shared-memory/internal'

export type Form = 'sync' | 'async'

/** What a survivor can be told to do. */
export type Act<O> = (objects: O, form: Form) => unknown

export interface KillCase<O = any> {
  readonly name: string
  /** Makes fresh objects; they travel to all others. */
  make(): O
  /** What the victim does first, and survives. */
  prepare?(objects: O): unknown
  /** The operation that the victim dies in. */
  operate(objects: O): unknown
  /** Whether to join the session is part of the operation. */
  readonly joins?: boolean
  /** Whether another process that has only prepared itself is dead by then, and not reaped. */
  readonly afterCorpse?: boolean
  readonly acts: Readonly<Record<string, Act<O>>>
  /** Lets the victim do its work, and the survivors theirs; throws when something is not as it has to be. */
  play(round: Round<O>): Promise<void>
}

/** What became of an act. */
export interface Reply {
  readonly value: any
  /** When it was begun, and when it was over, by the session's clock. */
  readonly begun: number
  readonly over: number
}

/** An act that a survivor is busy with. */
export interface Running {
  readonly who: Survivor
  readonly reply: Promise<Reply>
}

export interface Survivor {
  readonly name: string
  /** In which form it waits in this round. */
  readonly form: Form
  readonly tag: number
}

export interface Round<O> {
  readonly objects: O
  /** Before which atomic the victim dies. */
  readonly k: number
  /** The others than this process. */
  readonly others: readonly [Survivor, Survivor]
  /** Whether the victim has finished its operation, and died after it. Known after `death()`. */
  readonly ended: boolean
  /** Whether the victim's end has been heard of. */
  readonly isDead: boolean

  /** Tells a survivor to do something. */
  begin(who: Survivor, act: string): Running
  /** Does it in this process, without blocking it. */
  here(act: string): Running
  /** Waits until a survivor stands in line at the object. */
  waits(running: Running, object: SharedObject): Promise<void>
  /** Lets the victim begin its operation. */
  go(): void
  /** Waits until the victim sleeps, or listens for its bell, or is dead. */
  victimWaitsOrDies(): Promise<void>
  /** Waits until the victim is dead. */
  death(): Promise<void>
  /** Says that only from now on those who wait can go on. */
  freed(): void
  /** Waits for what was begun; it has to be over a second after the death, or after it could go on. */
  settled(running: Running): Promise<any>
  /** Whether it is over within that many milliseconds. */
  isSettled(running: Running, withinMs: number): Promise<boolean>
  /** Lets time pass. */
  pass(milliseconds: number): Promise<void>
}

/** Says what has to be so. */
export function assert(isSo: boolean, what: string): asserts isSo {
  if (!isSo) throw new Error(what)
}
