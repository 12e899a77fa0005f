/**
 * What a fork server does when all is loaded: it rehearses, then makes copies of itself.
 *
 * All that is here happens once, but for what follows `forkServe`, which returns in every child.
 * Nothing of it may leave behind what children must not share: see `forkServe` of the addon.
 *
 * @module
 */
import { type Native, hasSession, loadNative, prepareSession } from '@mp/shared-memory/internal'
import { closeSync, openSync, writeSync } from 'node:fs'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { runChild } from '../child-main.js'
import { SESSION_FD, parseToken } from '../token.js'
import { adopt, takeOverFrom } from './adopt.js'
import { FLAGS_OF_A_COPY, collectLate } from './engine.js'
import { probe } from './probe.js'
import { CONTROL_FD, LOADED_FD, STOCK_FD, type Ready } from './protocol.js'
import { exitQuickly } from './quick-exit.js'
import type { Guarded } from './randomness.js'
import { learn, rehearse } from './rehearsal.js'
import { renewRandomness } from './seed.js'

/** Of modules that could not be loaded. */
const MAX_FAILURES = 20
const MAX_FAILURE_LENGTH = 500

/** How often to rehearse: until the engine has seen enough, then until what it does after a collection is done. */
const BEFORE_COLLECTION = 2
const AFTER_COLLECTION = 1

/** What has been done so far. */
export interface Loaded {
  /** Modules that could not be loaded. */
  readonly failures: readonly string[]
  /** Takes back what keeps modules that are loaded from what children are to have. */
  giveBack(): Guarded
}

let native: Native
let loaded: Loaded

/** Rehearses, then serves, from a turn of the event loop on. */
export async function prepareToServe(given: Loaded): Promise<void> {
  loaded = given
  native = loadNative()
  exitQuickly(native)
  refuseSession()
  // Only now: an engine that takes it for memory that a collection might free would begin to collect while modules are loaded.
  prepareSession(SESSION_FD)
  await rehearse(BEFORE_COLLECTION)
  tidy()
  collectLate()
  await rehearse(AFTER_COLLECTION)
  setFlagsFromString('--lazy')
  // Not from here: copies would have to finish what the loader of modules does with this one.
  setImmediate(serve)
}

/** Returns in each copy; where copies are impossible, it says so and ends. */
function serve(): void {
  // Modules that were loaded in advance may have run until now: by timers, for example.
  refuseSession()
  const guarded = loaded.giveBack()
  tellLoaded()
  let text: string
  try {
    const ready = textOf({ why: null, failures: loaded.failures })
    text = native.forkServe(CONTROL_FD, STOCK_FD, ready)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MP_CANNOT_FORK') throw error
    refuse((error as Error).message)
  }
  renewRandomness(guarded, FLAGS_OF_A_COPY)
  become(text)
}

/** Nothing of ours may get the number, which is kept for children: the lowest that is free is given next. */
function tellLoaded(): void {
  closeSync(LOADED_FD)
  openSync('/dev/null', 'r')
}

function become(text: string): void {
  const request = adopt(native, text)
  if ('token' in request) {
    run(request.token)
    return
  }
  // It is no child: what modules that were loaded in advance do at the end of one is not for it.
  process.removeAllListeners('beforeExit').removeAllListeners('exit')
  throwLater(learn(native).then(probe))
}

/** Whatever the flags say of rejected promises. */
export function throwLater(promise: Promise<void>): void {
  promise.catch((error: unknown) =>
    setImmediate(() => {
      throw error
    }),
  )
}

function run(token: string): void {
  let isOver = false
  void runChild(parseToken(token), takeOverFrom).then(() => {
    isOver = true
  })
  // After all microtasks that there are now: who waits for the event loop may wait for a thread.
  void Promise.resolve().then(() =>
    process.nextTick(() => {
      if (!isOver) native.forkRevive()
    }),
  )
}

/** Collects garbage, so that children share pages that stay as they are, and have few of them. */
function tidy(): void {
  const { used_heap_size: before } = getHeapStatistics()
  native.forkReduce()
  // It has collected, then.
  if (getHeapStatistics().used_heap_size < before) return
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  setFlagsFromString('--no-expose-gc')
}

function refuseSession(): void {
  if (!hasSession()) return
  refuse('a module that was loaded in advance makes shared objects when it is loaded')
}

function refuse(why: string): never {
  // A socket that takes one message at a time.
  writeSync(CONTROL_FD, textOf({ why, failures: loaded.failures }))
  process.exit(0)
}

/** Cut to fit into one message. */
function textOf({ why, failures: all }: Ready): string {
  const shown = all.slice(0, MAX_FAILURES).map((failure) => failure.slice(0, MAX_FAILURE_LENGTH))
  return JSON.stringify({ why, failures: shown } satisfies Ready)
}
