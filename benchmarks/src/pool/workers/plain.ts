/** The worker of piscina and tinypool: a module of named functions. */
export { echo, noop, work } from './functions.js'
export { noop as default } from './functions.js'
