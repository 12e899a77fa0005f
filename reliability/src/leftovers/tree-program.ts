/**
 * A process tree that uses everything: a root with children, grandchildren and threads, all busy until they are killed.
 *
 * @module
 */
import { Pipe } from '@mp/pipe'
import { Process } from '@mp/process'
import { Queue } from '@mp/queue'
import { SharedArray, SharedMemory } from '@mp/shared-memory'
import { session } from '@mp/shared-memory/internal'
import { Barrier, Condition, Event, Lock, Semaphore } from '@mp/sync'
import { writeSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'

interface Common {
  readonly lock: Lock
  readonly semaphore: Semaphore
  readonly condition: Condition
  readonly event: Event
  readonly barrier: Barrier
  readonly queue: Queue<string>
  readonly array: SharedArray<Uint8Array>
  readonly block: SharedMemory
}

const MIB = 1024 * 1024

/** Says who is there, so that whoever kills knows whom. */
function report(): void {
  writeSync(1, `${process.pid}\n`)
}

/** Uses what all share, for ever; and makes blocks of its own. */
export async function work(common: Common, isThread: boolean): Promise<void> {
  if (!isThread) report()
  const { lock, semaphore, condition, event, barrier, queue, array, block } = common
  const bytes = new Uint8Array(block.buffer)
  for (let n = 0; ; n++) {
    const guard = await lock.acquire()
    bytes[n % bytes.length] = n
    guard?.release()
    semaphore.acquireSync({ timeout: 1 })?.release()
    queue.putSync('x'.repeat(n % 10 === 0 ? 40_000 : 20))
    await queue.get({ timeout: 5 }).catch(() => '')
    array.array.fill(n, 0, 1_000)
    event.set()
    event.clear()
    const held = await condition.acquire()
    condition.notify()
    await condition.wait({ timeout: 2 })
    held?.release()
    await barrier.wait({ timeout: 2 }).catch(() => barrier.reset())
    // Made and dropped all the time, so that a death finds some half-made.
    const own = new SharedMemory({ create: true, size: 64 * 1024 })
    new Uint8Array(own.buffer)[0] = 1
    own.close()
    own.unlink()
    await turn()
  }
}

/** A child that has children. */
export async function lead(common: Common): Promise<void> {
  const [here, there] = Pipe<string>()
  new Process({ target: work, args: [common, false] }).start()
  new Process({ target: work, args: [common, true], startMethod: 'thread' }).start()
  new Process({ target: echo, args: [there] }).start()
  there.close()
  void talk(here)
  await work(common, false)
}

/** Answers on a connection, until nobody asks. */
export async function echo(connection: ReturnType<typeof Pipe<string>>[1]): Promise<void> {
  report()
  for await (const message of connection) await connection.send(message)
}

async function talk(connection: ReturnType<typeof Pipe<string>>[0]): Promise<void> {
  for (let n = 0; ; n++) {
    await connection.send(`${n}`)
    await connection.recv()
  }
}

/** The root; `name` is that of a block that outlives it if others use it. */
async function root(name: string): Promise<void> {
  session().native.dieWithParent(process.ppid)
  const block = new SharedMemory({ create: true, size: MIB, name })
  new Uint8Array(block.buffer).fill(1)
  const array = new SharedArray(Uint8Array, 4 * MIB)
  array.array.fill(1)
  const common: Common = {
    lock: new Lock(),
    semaphore: new Semaphore(2),
    condition: new Condition(new Lock()),
    event: new Event(),
    barrier: new Barrier(3),
    queue: new Queue<string>(),
    array,
    block,
  }
  report()
  new Process({ target: lead, args: [common] }).start()
  new Process({ target: work, args: [common, false] }).start()
  new Process({ target: work, args: [common, true], startMethod: 'thread' }).start()
  await work(common, true)
}

const [, program, name] = process.argv
// The children import this module, too; their main program is another.
if (name !== undefined && program?.endsWith('tree-program.js')) await root(name)
