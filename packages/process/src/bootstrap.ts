/**
 * The program that a child runs. Everything it imports is on the way of every start.
 *
 * @module
 */
import { isMainThread, workerData } from 'node:worker_threads'
import { runChild } from './child-main.js'
import { exitQuickly } from './forkserver/quick-exit.js'
import { parseToken, tokenIn } from './token.js'

/** Of a spawned process: see `child.ts`. */
declare const mpOnReady: (() => void) | undefined

export function run(): void {
  if (isMainThread) exitQuickly()
  void runChild(
    parseToken(isMainThread ? process.argv[2] : tokenIn(workerData)),
    undefined,
    typeof mpOnReady === 'function' ? mpOnReady : undefined,
  )
}
