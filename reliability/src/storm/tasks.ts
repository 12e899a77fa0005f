/**
 * What is held longer than it takes to receive it: tasks of an acknowledged queue, and leases.
 *
 * @module
 */
import type { Lease, QueueTask } from '@mp/queue'
import { type Message, isWhole } from './objects.js'
import { KIND } from './record.js'
import { type Operation, isGivenUp, linger, makeMessage } from './scene.js'

const TASKS = 3

/** Receives a message by lease, looks at it, lets time pass, and looks again: nobody else has written there. */
export function getLease(channel: number): Operation {
  return async (scene, manner) => {
    const { ledger, agent, objects, record, random } = scene
    const { form, isAlone } = manner
    const from = objects.queues[channel]
    const timeout = manner.options.timeout ?? random.integer(1, 50)
    const options = { ...manner.options, timeout, lease: true } as const
    ledger.beginTake(agent, channel, 1)
    let lease: Lease<Message> | undefined
    try {
      if (from === undefined) {
        const { receiving } = objects
        lease = form === 'sync' ? receiving.recvSync(options) : await receiving.recv(options)
      } else lease = form === 'sync' ? from.getSync(options) : await from.get(options)
    } catch (error) {
      if (!isGivenUp(error)) throw error
    }
    if (lease !== undefined) {
      const [producer, sequence, filling] = lease.value
      record.note({ kind: isAlone ? KIND.alone : KIND.taken, channel, producer, sequence })
      if (!isWhole(filling)) record.violation(`a torn message of agent ${producer}`)
      linger(scene)
      if (!isWhole(filling)) record.violation(`a leased message of agent ${producer} has changed`)
      lease.release()
    }
    ledger.endTake(agent, channel, 1)
  }
}

export const putTask: Operation = async (scene, manner) => {
  const { agent, objects, record, begun, random } = scene
  const sequence = ++begun[TASKS]
  const mark = { channel: TASKS, producer: agent, sequence }
  const message = makeMessage(scene, sequence)
  const options = { ...manner.options, timeout: manner.options.timeout ?? random.integer(1, 50) }
  try {
    if (manner.form === 'sync') objects.tasks.putSync(message, options)
    else await objects.tasks.put(message, options)
  } catch (error) {
    if (!isGivenUp(error)) throw error
    record.note({ kind: KIND.cancelled, ...mark })
    return
  }
  record.note({ kind: KIND.put, ...mark })
}

/** Takes a task and does it, or gives it back. Only what is done counts as arrived, and nothing is done twice. */
export const work: Operation = async (scene, manner) => {
  const { ledger, agent, objects, record, random } = scene
  const options = { ...manner.options, timeout: manner.options.timeout ?? random.integer(1, 50) }
  let task: QueueTask<Message> | undefined
  try {
    const { tasks } = objects
    task = manner.form === 'sync' ? tasks.getTaskSync(options) : await tasks.getTask(options)
  } catch (error) {
    if (!isGivenUp(error)) throw error
    return
  }
  const [producer, sequence, filling] = task.value
  if (!isWhole(filling)) record.violation(`a torn task of agent ${producer}`)
  linger(scene)
  if (random.chance(0.2)) return task.giveBack()
  // Who dies in between may have done it without having written it down.
  ledger.beginTake(agent, TASKS, 1)
  task.done()
  record.note({ kind: KIND.taken, channel: TASKS, producer, sequence })
  ledger.endTake(agent, TASKS, 1)
}
