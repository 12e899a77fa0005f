/**
 * `Process`: run a function of your program in another process or thread.
 *
 * @module
 */
export { Context, ForkserverProcess, SpawnProcess, ThreadProcess, getContext } from './context.js'
export { cpuCount } from './cpu-count.js'
export { type ParentProcess, activeChildren, currentProcess, parentProcess } from './current.js'
export type { ProcessEvents } from './events.js'
export type { TerminateOptions } from './grace.js'
export type { LaunchOptions, ProcessOptions, ResourceLimits, StartMethod } from './options.js'
export { setForkserverPreload } from './forkserver/preload.js'
export { Process } from './process.js'
export { StartError } from './start-error.js'
export {
  type SetStartMethodOptions,
  getAllStartMethods,
  getStartMethod,
  setStartMethod,
} from './start-method.js'
export type { Target } from './state.js'
