/**
 * The options of a Process, and their checks.
 *
 * @module
 */
import { outOfRange, wrongType } from '@mp/shared-memory/internal'
import type { StdioOptions } from 'node:child_process'
import type { Target } from './state.js'

/**
 * How a process comes to be.
 *
 * `spawn`: a new process of this Node. `forkserver`: a copy of a process that has everything loaded, or
 * `spawn` where that cannot be. `thread`: a worker thread of this process. `getAllStartMethods()` tells which there are.
 */
export type StartMethod = 'spawn' | 'forkserver' | 'thread'

/** Options that the start methods read. */
export interface LaunchOptions {
  /**
   * The environment of the child.
   *
   * @default process.env
   */
  env?: NodeJS.ProcessEnv | undefined
  /**
   * The working directory of the child; not for threads, which share that of their process.
   *
   * @default process.cwd()
   */
  cwd?: string | URL | undefined
  /**
   * Flags of Node for the child.
   *
   * @default process.execArgv, without those that make no sense for a child (`--eval`, `--test`, `--watch`, `--inspect`…)
   */
  execArgv?: readonly string[] | undefined
  /**
   * Where the child's standard streams go, as in `child_process.spawn`; `'pipe'` gives the streams
   * `stdin`, `stdout` and `stderr`. Further entries are the child's descriptors from 4 on.
   *
   * @default 'inherit'
   */
  stdio?: StdioOptions | undefined
  /**
   * How much memory its JavaScript may use; one that needs more ends with an error. A process gets them as flags of
   * Node, which its own children inherit.
   *
   * @default those of Node
   */
  resourceLimits?: ResourceLimits | undefined
}

/** In megabytes, as those of a Worker. */
export interface ResourceLimits {
  maxOldGenerationSizeMb?: number | undefined
  maxYoungGenerationSizeMb?: number | undefined
  stackSizeMb?: number | undefined
}

interface OwnOptions<F extends Target> extends LaunchOptions {
  /** What the child calls. Left out by subclasses that override `run()`. */
  target?: F | undefined
  /**
   * The name of the process.
   *
   * @default class name and number, such as `Process-1`
   */
  name?: string | undefined
  /**
   * Whether it is terminated when its parent ends, instead of waited for. A daemon may not start children.
   *
   * @default that of the process that makes it
   */
  daemon?: boolean | undefined
  /**
   * How to start it.
   *
   * @default getStartMethod()
   */
  startMethod?: StartMethod | undefined
}

/** The options of a Process. `args` may be left out where `target` can be called without. */
export type ProcessOptions<F extends Target> = OwnOptions<F> &
  ([] extends Parameters<F>
    ? { args?: Parameters<F> | undefined }
    : { args: Parameters<F> } | { target?: undefined; args?: undefined })

const STREAMS = ['inherit', 'ignore', 'pipe', 'overlapped']

/** Throws TypeError for the first option of a wrong type. */
export function checkOptions(options: ProcessOptions<Target>): void {
  if (typeof options !== 'object' || options === null) {
    throw wrongType('options', 'an object', options)
  }
  const { target, args, name, daemon } = options
  if (target !== undefined && typeof target !== 'function') {
    throw wrongType('target', 'a function', target)
  }
  if (args !== undefined && !Array.isArray(args)) throw wrongType('args', 'an array', args)
  if (name !== undefined) checkName(name)
  if (daemon !== undefined) checkDaemon(daemon)
  checkLaunchOptions(options)
}

export function checkName(name: unknown): void {
  if (typeof name !== 'string') throw wrongType('name', 'a string', name)
}

export function checkDaemon(daemon: unknown): void {
  if (typeof daemon !== 'boolean') throw wrongType('daemon', 'a boolean', daemon)
}

const LIMITS = ['maxOldGenerationSizeMb', 'maxYoungGenerationSizeMb', 'stackSizeMb'] as const

function checkResourceLimits(limits: unknown): void {
  if (typeof limits !== 'object' || limits === null) {
    throw wrongType('resourceLimits', 'an object', limits)
  }
  for (const [name, value] of Object.entries(limits)) {
    const known = LIMITS.find((each) => each === name)
    if (known === undefined)
      throw outOfRange('resourceLimits', `an object of ${LIMITS.join(', ')}`, name)
    if (value === undefined) continue
    if (typeof value !== 'number') throw wrongType(`resourceLimits.${name}`, 'a number', value)
    if (!(value > 0)) throw outOfRange(`resourceLimits.${name}`, 'a number above 0', value)
  }
}

function checkLaunchOptions(options: LaunchOptions): void {
  const { env, cwd, execArgv, stdio, resourceLimits } = options
  if (resourceLimits !== undefined) checkResourceLimits(resourceLimits)
  if (env !== undefined && (typeof env !== 'object' || env === null)) {
    throw wrongType('env', 'an object', env)
  }
  if (cwd !== undefined && typeof cwd !== 'string' && !(cwd instanceof URL)) {
    throw wrongType('cwd', 'a string or a URL', cwd)
  }
  if (
    execArgv !== undefined &&
    (!Array.isArray(execArgv) || !execArgv.every((flag) => typeof flag === 'string'))
  ) {
    throw wrongType('execArgv', 'an array of strings', execArgv)
  }
  if (stdio !== undefined && !Array.isArray(stdio) && !STREAMS.includes(stdio)) {
    throw wrongType('stdio', "'inherit', 'ignore', 'pipe' or an array", stdio)
  }
  if (Array.isArray(stdio) && stdio.includes('ipc')) {
    throw wrongType('stdio', "an array without 'ipc'; send through a Pipe or Queue instead", stdio)
  }
}
