/**
 * The program of a fork server. It loads the rest with all functions compiled at once and kept: what
 * V8 would put off until a function is first called, every child would have to do again.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--no-lazy')
setFlagsFromString('--no-flush-bytecode')
// What is compiled further is compiled by other threads, and put in its place by whoever goes on: by every child.
setFlagsFromString('--no-turbofan')
setFlagsFromString('--no-sparkplug')
await import('./serve.js')
