/**
 * A `Pool` of 3 processes is given 4 tasks: the fourth waits for the first process that is free.
 *
 *     npx tsx pool.ts
 */
import { Pool } from '@mp/multiprocessing'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

async function work(task: string): Promise<string> {
  console.log(`${task}: begins in process ${process.pid}`)
  await sleep(2 * second)
  console.log(`${task}: ends`)
  return `${task} is done`
}

const pool = new Pool(3)
const results = ['task 1', 'task 2', 'task 3', 'task 4'].map((task) =>
  pool.applyAsync(work, [task]),
)
console.log('main: has given out all tasks and goes on')

pool.close() // takes no more tasks; its processes end when all are done
await pool.join()
for (const result of results) console.log(`main: ${await result.get()}`)
