/**
 * How the engine compiles in a fork server, when its modules are loaded, and in its copies.
 *
 * All defaults that are set again are those of Node 20 to 26. Where the program has flags of its own on the matter
 * (`--jitless`, `--no-opt`), none of this is touched.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'

const HAS_OWN_FLAGS =
  /-(-|no-?)?[a-z_-]*(jit|opt|turbo|spark|maglev|lazy|feedback|baseline|interpret|predictable|single|stress)/i.test(
    [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')].join(' '),
  )

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
