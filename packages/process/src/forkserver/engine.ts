/**
 * How the engine compiles in a fork server, when its modules are loaded, and in its copies.
 *
 * All defaults that are set again are those of Node 20 to 26. Where the program has flags of its own on the matter
 * (`--jitless`, `--no-opt`), none of this is touched.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'

const given = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')].join(' ')

const HAS_OWN_FLAGS =
  /-(-|no-?)?[a-z_-]*(jit|opt|turbo|spark|maglev|lazy|feedback|baseline|interpret|predictable|single|stress)/i.test(
    given,
  )
const HAS_OWN_MARKING =
  /-(-|no-?)?[a-z_-]*(incremental|concurrent|single|predictable|stress)/i.test(given)

/**
 * From here on a server compiles all functions at once, and keeps them: what V8 would put off until a function is first
 * called, every child would have to do again. What is compiled further is compiled by other threads, and put in its place by
 * whoever goes on; so by every child, too. And what the engine learns is kept apart for each function from its first call on;
 * else only for those that have run for a while.
 */
export function compileAll(): void {
  setFlagsFromString('--no-lazy --no-flush-bytecode')
  if (HAS_OWN_FLAGS) return
  setFlagsFromString('--no-turbofan --no-sparkplug --no-lazy-feedback-allocation')
}

/** Flags of a copy. */
export const FLAGS_OF_A_COPY: string = HAS_OWN_FLAGS
  ? '--flush-bytecode'
  : '--flush-bytecode --lazy-feedback-allocation --turbofan --sparkplug'

const MARKING = '--incremental-marking --concurrent-marking'
const collections = new FinalizationRegistry(() => setFlagsFromString(MARKING))

/** Where a module that is loaded in advance has started a thread, that may be marking at any time: V8 does not expect that to be forbidden then. */
let hasThreads = false
const noteThread = (): void => {
  hasThreads = true
}

/** Called before any module of the program is loaded. */
export function watchThreads(): void {
  process.once('worker', noteThread)
}

/**
 * Has each copy collect for the first time when its heap has grown, and not before. Called when the heap has just been
 * collected: nobody marks.
 *
 * Eight seconds after its heap has begun to grow, V8 has a process that has little to do collect once, to give memory
 * back. For copies that is eight seconds after their server has started: each of them would mark all that it shares, and so
 * have twice the memory, as soon as it is there. V8 puts it off while it may not mark in steps. So copies may
 * from their first collection on, when there is little yet to be done in steps.
 */
export function collectLate(): void {
  process.off('worker', noteThread)
  if (HAS_OWN_MARKING || hasThreads) return
  setFlagsFromString('--no-incremental-marking')
  // What nobody has is found to be garbage by the first collection of the whole heap.
  collections.register({}, undefined)
}
