/**
 * The program of a fork server. It loads the rest when the engine has been told how to compile it.
 *
 * @module
 */
import { compileAll } from './engine.js'

compileAll()
await import('./serve.js')
