/**
 * What the tests of all packages share. Depends on none of them, so that each may use it.
 *
 * @module
 */
export { isBareRun, wasKilled, ways } from './bare.js'
export { becomes, until } from './deadline.js'
export { dieNow } from './die.js'
export { openDescriptors } from './descriptors.js'
export { type Leftovers, type Picture, type Surroundings, Watch, describe } from './leftovers.js'
export { type FoundProcess, type Mark, killProcess, marked } from './processes.js'
export { type Outcome, Program, type ProgramOptions, runProgram } from './program.js'
export { Random, chooseSeed } from './random.js'
export { markOf, randomItem, randomLength } from './random-values.js'
