/**
 * The victim: joins the session, performs one operation of one case, and is dead before its k-th atomic.
 *
 * @module
 */
import { type Counted, arm, die, disarm } from './trap.js'
import { loads } from '@mp/pickle'
import type { SharedArray } from '@mp/shared-memory'
import { type Session, joinSession } from '@mp/shared-memory/internal'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import os from 'node:os'
import { BOARD } from './board.js'

/** What it is to do; the objects are pickled, for to take them apart one has to have joined. */
export interface Task {
  readonly case: string
  /** Before which atomic it dies; 0: before it operates. */
  readonly k: number
  readonly counted: Counted
  readonly parentTag: number
  readonly objects: Uint8Array
  readonly board: Uint8Array
}

// Looking many times before falling asleep is the same state many times over: it looks as it would alone on a CPU.
os.availableParallelism = () => 1
syncBuiltinESMExports()

const { findCase } = await import('./cases.js')

process.send?.({ ready: true })
const [task] = (await once(process, 'message')) as [Task]
const { prepare, operate, joins } = findCase(task.case)
let board: SharedArray<Float64Array> | undefined

const note = (entry: number, value: number): void => {
  if (board !== undefined) board.array[entry] = value
}

function join(): Session {
  const session = joinSession(3, task.parentTag)
  session.native.dieWithParent(process.ppid)
  return session
}

/** The operation is over: that is the last moment to die at. */
function end(): never {
  note(BOARD.count, disarm())
  note(BOARD.ended, 1)
  note(BOARD.death, session?.native.now() ?? 0)
  die()
}

let session: Session | undefined
if (joins !== true) {
  session = join()
  board = loads(task.board) as SharedArray<Float64Array>
  const objects = loads(task.objects)
  await prepare?.(objects)
  process.send?.({ prepared: true, tag: session.agent.tag })
  await once(process, 'message')
  // Whoever leaves in order is over when all listeners have run.
  process.on('exit', end)
  if (task.k === 0) die()
  arm(task.k, task.counted, () => note(BOARD.death, session?.native.now() ?? 0))
  await operate(objects)
} else {
  process.send?.({ prepared: true })
  await once(process, 'message')
  arm(task.k, task.counted, () => {})
  session = join()
  disarm()
  board = loads(task.board) as SharedArray<Float64Array>
}
end()
