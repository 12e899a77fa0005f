/**
 * The first steps of a copy, which its server rehearses.
 *
 * @module
 */
import type { Native } from '@mp/shared-memory/internal'
import type { Header } from '../payload.js'
import { current } from '../state.js'
import type { Request } from './protocol.js'
import { takeOver } from './surroundings.js'

/** Reads what the copy is asked to be, and makes the process know who it is. */
export function adopt(native: Native, text: string): Request {
  // Some tenths of a millisecond ago: what follows the copy in C.
  current.startedMs = performance.now()
  Object.defineProperty(process, 'pid', {
    value: native.pid(),
    enumerable: true,
    configurable: true,
    writable: false,
  })
  return JSON.parse(text) as Request
}

/** Takes over what its header says of its surroundings. */
export function takeOverFrom({ surroundings }: Header): void {
  if (surroundings !== undefined) takeOver(surroundings)
}
