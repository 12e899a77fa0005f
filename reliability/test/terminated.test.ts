/** A thread that is terminated while it waits: it is gone at once, and takes nothing with it. */
import { Process } from '@mp/process'
import { Queue } from '@mp/queue'
import {
  AGENT_SET_WORDS,
  AT,
  ENTRY,
  ENTRY_WORDS,
  type SharedObject,
  session,
} from '@mp/shared-memory/internal'
import {
  Barrier,
  BoundedSemaphore,
  Condition,
  Event,
  Lock,
  RLock,
  RWLock,
  Semaphore,
} from '@mp/sync'
import { until } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { waitAt } from './fixtures/waits.mjs'

/** An object, what the thread waits for at it, and what has to go on afterwards. */
interface Scene {
  readonly kind: string
  readonly object: SharedObject
  check(): unknown
}

/** Somebody else waits for what is given now, and gets it. */
const PROMPTLY = { timeout: 1_000 }

function held(object: Lock | RLock | Semaphore | BoundedSemaphore): Scene {
  const guard = object.acquireSync()
  return {
    kind: 'lock',
    object,
    async check() {
      const next = object instanceof RLock ? undefined : object.acquire(PROMPTLY)
      guard?.release()
      ;(await next)?.release()
      expect(object.locked).toBe(false)
    },
  }
}

const scenes: readonly [name: string, make: () => Scene][] = [
  ['Lock', () => held(new Lock())],
  ['RLock', () => held(new RLock())],
  ['Semaphore', () => held(new Semaphore(1))],
  ['BoundedSemaphore', () => held(new BoundedSemaphore(1))],
  [
    'Semaphore(0)',
    () => {
      const object = new Semaphore(0)
      const check = (): void => {
        object.release()
        expect(object.value).toBe(1)
      }
      return { kind: 'lock', object, check }
    },
  ],
  ...(['read', 'write'] as const).map((kind): [string, () => Scene] => [
    `RWLock.${kind}`,
    () => {
      const object = new RWLock()
      const guard = object.write.acquireSync()
      const check = async (): Promise<void> => {
        const next = object[kind].acquire(PROMPTLY)
        guard?.release()
        expect(await next).not.toBe(null)
      }
      return { kind, object, check }
    },
  ]),
  [
    'Event',
    () => {
      const object = new Event()
      const check = async (): Promise<void> => {
        const next = object.wait(PROMPTLY)
        object.set()
        expect(await next).toBe(true)
      }
      return { kind: 'event', object, check }
    },
  ],
  [
    'Barrier',
    () => {
      const object = new Barrier(2)
      const check = async (): Promise<void> => {
        await expect(object.wait(PROMPTLY)).rejects.toMatchObject({ code: 'ERR_MP_BROKEN_BARRIER' })
        object.reset()
        expect(await Promise.all([object.wait(PROMPTLY), object.wait(PROMPTLY)])).toEqual([0, 1])
      }
      return { kind: 'barrier', object, check }
    },
  ],
  [
    'Condition',
    () => {
      const object = new Condition(new Lock())
      const check = async (): Promise<void> => {
        const mine = await object.acquire(PROMPTLY)
        const next = object.wait(PROMPTLY)
        // The one notification is not spent on the dead.
        await object.run(() => object.notify())
        expect(await next).toBe(true)
        mine?.release()
      }
      return { kind: 'condition', object, check }
    },
  ],
  [
    'Queue.get',
    () => {
      const object = new Queue<number>()
      const check = async (): Promise<void> => {
        const next = object.get(PROMPTLY)
        await object.put(7)
        expect(await next).toBe(7)
      }
      return { kind: 'get', object, check }
    },
  ],
  [
    'Queue.put',
    () => {
      const object = new Queue<number>(1)
      object.putSync(0)
      const check = async (): Promise<void> => {
        const next = object.put(7, PROMPTLY)
        expect(object.getSync()).toBe(0)
        await next
        expect(object.getSync()).toBe(7)
        expect(object.empty()).toBe(true)
      }
      return { kind: 'put', object, check }
    },
  ],
]

/** Whether anybody stands in line at the object. */
function isAwaited({ handle }: SharedObject): boolean {
  const { words } = session()
  const entry = AT.directory + handle.index * ENTRY_WORDS
  const packed = Atomics.load(words, entry + ENTRY.sets)
  const first = handle.base + (packed & 0xffff)
  const count = (packed >>> 16) * AGENT_SET_WORDS
  return words.subarray(first, first + count).some((bits) => bits !== 0)
}

describe.each(['sync', 'async'])('a thread that waits (%s) can be terminated', (form) => {
  test.each(scenes)('at %s', async (name, make) => {
    const { kind, object, check } = make()
    const thread = new Process({
      target: waitAt,
      args: [kind, form, object],
      startMethod: 'thread',
    })
    thread.start()
    await until(`it waits at the ${name}`, () => isAwaited(object))
    const begun = session().native.now()
    thread.kill()
    expect(await thread.join({ timeout: 5_000 })).toBe(-9)
    expect(session().native.now() - begun).toBeLessThan(1_000)
    await check()
  })
})
