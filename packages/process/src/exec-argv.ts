/**
 * Which of this process's Node flags its children inherit: all, but for those that say what to
 * run, or that only one process can have (an inspector's port).
 *
 * @module
 */
import type { ResourceLimits } from './options.js'

/** Flags that are followed by a value of their own. */
const WITH_VALUE = [
  '--eval',
  '--print',
  '--input-type',
  '--inspect-port',
  '--debug-port',
  '--run',
  '--build-snapshot-config',
  '--experimental-sea-config',
  '--test-concurrency',
  '--test-coverage-exclude',
  '--test-coverage-include',
  '--test-global-setup',
  '--test-name-pattern',
  '--test-reporter',
  '--test-reporter-destination',
  '--test-rerun-failures',
  '--test-shard',
  '--test-skip-pattern',
  '--test-timeout',
  '--watch-kill-signal',
  '--watch-path',
]

/** `--test`, `--test-only`, `--watch`, `--inspect-brk=0`…, and what runs something else than a file. */
const ALONE = /^--(test|watch|inspect)(-[a-z-]+)?(=|$)|^--(check|interactive|build-snapshot)(=|$)/

/** `-e`, `-p`, `-pe`, `-i`, `-c`; those with e or p have the script as the next argument. */
const SHORT = /^-[epic]+$/

/** Picks from `process.execArgv` what a child gets. */
export function inheritedExecArgv(execArgv: readonly string[] = process.execArgv): string[] {
  const inherited: string[] = []
  for (let i = 0; i < execArgv.length; i++) {
    const flag = execArgv[i]
    if (WITH_VALUE.includes(flag) || (SHORT.test(flag) && /[ep]/.test(flag))) i++
    else if (!SHORT.test(flag) && !ALONE.test(flag) && !WITH_VALUE.includes(nameOf(flag))) {
      inherited.push(flag)
    }
  }
  return inherited
}

/** Flags that set the limits of a process. */
export function limitFlags(limits: ResourceLimits = {}): string[] {
  const { maxOldGenerationSizeMb, maxYoungGenerationSizeMb, stackSizeMb } = limits
  const flags: string[] = []
  if (maxOldGenerationSizeMb !== undefined) {
    flags.push(`--max-old-space-size=${Math.ceil(maxOldGenerationSizeMb)}`)
  }
  if (maxYoungGenerationSizeMb !== undefined) {
    // The young generation is three of these.
    flags.push(`--max-semi-space-size=${Math.max(1, Math.floor(maxYoungGenerationSizeMb / 3))}`)
  }
  if (stackSizeMb !== undefined) {
    // As for a Worker, Node keeps some of it for itself; in kilobytes.
    flags.push(`--stack-size=${Math.max(64, Math.floor(stackSizeMb * 1024) - 192)}`)
  }
  return flags
}

function nameOf(flag: string): string {
  const equals = flag.indexOf('=')
  return equals < 0 ? flag : flag.slice(0, equals)
}
