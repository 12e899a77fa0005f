/**
 * A survivor other than the process that runs the cases: a process or a thread that does what it is told.
 *
 * @module
 */
import { loads } from '@mp/pickle'
import { joinSession } from '@mp/shared-memory/internal'
import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import type { Form } from './case.js'
import { findCase } from './cases.js'

/** Something to do with the objects of a case. */
export interface Order {
  readonly id: number
  readonly case: string
  readonly act: string
  readonly form: Form
  readonly objects: Uint8Array
}

const port = parentPort
const send = (message: unknown): void => {
  if (port === null) process.send?.(message)
  else port.postMessage(message)
}

let parentTag: number
if (port === null) {
  process.send?.({ ready: true })
  ;[{ parentTag }] = (await once(process, 'message')) as [{ parentTag: number }]
} else {
  ;({ parentTag } = workerData as { parentTag: number })
}
const { agent, native } = joinSession(port === null ? 3 : undefined, parentTag)
if (port === null) native.dieWithParent(process.ppid)

async function obey({ id, act, form, objects, case: name }: Order): Promise<void> {
  const begun = native.now()
  try {
    const value: unknown = await findCase(name).acts[act]?.(loads(objects), form)
    send({ id, value, begun, over: native.now() })
  } catch (error) {
    send({ id, failed: (error as Error).stack, begun, over: native.now() })
  }
}

;(port ?? process).on('message', (order: Order) => void obey(order))
send({ joined: agent.tag })
