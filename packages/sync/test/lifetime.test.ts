/** When shared objects end, and that they do not before. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  AT,
  Attachment,
  ENTRY,
  HEADER,
  type SharedObject,
  entryWord,
  keepInFlight,
  session,
  trackInFlight,
} from '@mp/shared-memory/internal'
import { dumps, loads } from '@mp/pickle'
import { Pipe } from '@mp/pipe'
import { Process } from '@mp/process'
import { JoinableQueue, Queue } from '@mp/queue'
import { Barrier, Condition, Event, Lock, RLock, RWLock, Semaphore } from '@mp/sync'
import { ways } from 'mp-internal'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { kinds, start, until } from './agents.js'
import { decode, encode } from './fixtures/transport.mjs'
import { Words } from './fixtures/words.mjs'

const makers: Record<string, () => SharedObject> = {
  Lock: () => new Lock(),
  RLock: () => new RLock(),
  Semaphore: () => new Semaphore(3),
  Event: () => new Event(),
  Condition: () => new Condition(),
  Barrier: () => new Barrier(2),
  RWLock: () => new RWLock(),
  Queue: () => new Queue(),
  JoinableQueue: () => new JoinableQueue(),
}

const stale = expect.objectContaining({ code: 'ERR_MP_STALE_HANDLE' })
const closed = expect.objectContaining({ code: 'ERR_MP_CLOSED' })

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Objects, units and pages in use. */
function inUse(): { objects: number; units: number; pages: number } {
  const { words, directory, pages } = session()
  let objects = 0
  directory.forEach(() => objects++)
  const count = (table: number, high: number): number => {
    let used = 0
    for (let i = 0; i < words[high]; i++) if (words[table + i] !== 0) used++
    return used
  }
  return {
    objects,
    units: count(AT.unitTable, HEADER.highUnit),
    pages: pages.arena === undefined ? 0 : count(AT.pageTable, HEADER.highPage),
  }
}

async function untilInUse(wanted: ReturnType<typeof inUse>): Promise<void> {
  await until('all is given back', () => {
    collect()
    return JSON.stringify(inUse()) === JSON.stringify(wanted)
  })
}

/** A few collections: for what must not happen, however often garbage is collected. */
async function collectOften(): Promise<void> {
  for (let n = 0; n < 5; n++) {
    collect()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const isThere = ({ index, generation }: { index: number; generation: number }): boolean => {
  const { words } = session()
  const entry = entryWord(index)
  return Atomics.load(words, entry) < 0 && words[entry + ENTRY.generation] === generation
}

/** How many agents are killed while they churn. */
const CHURNS = Number(process.env['MP_TEST_CHURNS'] ?? 3)

let atFirst: ReturnType<typeof inUse>

beforeAll(() => {
  session()
  atFirst = inUse()
})

afterAll(() => untilInUse(atFirst))

describe.each(Object.entries(makers))('%s', (name, make) => {
  test('ends when it can no longer be reached', async () => {
    await untilInUse(atFirst)
    let object: SharedObject | undefined = make()
    const { handle } = object
    await collectOften()
    expect(isThere(object.handle)).toBe(true)
    object = undefined
    await untilInUse(atFirst)
    expect(isThere(handle)).toBe(false)
  })

  test('ends when it is closed, and cannot be used then', async () => {
    await untilInUse(atFirst)
    const object = make()
    object.close()
    object.close()
    expect(inUse()).toEqual(atFirst)
    expect(() => encode(object)).toThrow(closed)
  })

  test('an old handle never names the next object in its place', async () => {
    const first = make()
    const { index, generation } = first.handle
    first.close()
    const second = make()
    expect(second.handle.index).toBe(index)
    const extra = name === 'Condition' ? new Lock() : { timeout: Infinity }
    const attach = () => new (second.constructor as any)(new Attachment(index, generation, extra))
    expect(attach).toThrow(stale)
    await collectOften()
    expect(isThere(second.handle)).toBe(true)
    second.close()
    expect(isThere(second.handle)).toBe(false)
  })

  test('a copy on its way keeps it, though nobody holds it', async () => {
    const { message, handle } = (() => {
      const object = make()
      return { message: dumps(object), handle: object.handle }
    })()
    await collectOften()
    expect(isThere(handle)).toBe(true)
    expect((loads(message) as SharedObject).handle).toEqual(handle)
    await until('it has ended', () => {
      collect()
      return !isThere(handle)
    })
    expect(() => loads(message)).toThrow(stale)
  })

  test.each(kinds)('it stays while a %s holds it, and ends with that', async (kind) => {
    await untilInUse(atFirst)
    const words = new Words(1)
    let object: SharedObject | undefined = make()
    const { handle } = object
    const other = await start(kind, 'lifetimes.mjs', 'holdForEver', object, words)
    object = undefined
    await until('it holds it', () => words.get(0) === 1)
    await collectOften()
    expect(isThere(handle)).toBe(true)
    await other.kill()
    expect(isThere(handle)).toBe(false)
  })
})

test('every use of what was closed throws, and harms nobody', () => {
  const [lock, semaphore, event, barrier] = [
    new Lock(),
    new Semaphore(1),
    new Event(),
    new Barrier(2),
  ]
  const rw = new RWLock()
  const condition = new Condition()
  const guards = [lock.acquireSync(), semaphore.acquireSync(), rw.read.acquireSync()]
  for (const object of [lock, semaphore, event, barrier, rw, condition]) object.close()
  const uses = [
    () => lock.tryAcquire(),
    () => lock.acquireSync(),
    () => lock.release(),
    () => lock.locked,
    () => semaphore.tryAcquire(),
    () => semaphore.release(),
    () => semaphore.value,
    () => event.set(),
    () => event.clear(),
    () => event.isSet(),
    () => event.waitSync(),
    () => barrier.waitSync(),
    () => barrier.abort(),
    () => barrier.reset(),
    () => barrier.waiting,
    () => barrier.broken,
    () => rw.read.tryAcquire(),
    () => rw.write.tryAcquire(),
    () => rw.read.release(),
    () => condition.tryAcquire(),
    () => condition.waitSync(),
    () => condition.notify(),
    ...guards.map((guard) => () => guard?.release()),
  ]
  const bystanders = Array.from({ length: 40 }, () => new Lock())
  for (const use of uses) expect(use).toThrow(closed)
  expect(bystanders.every((other) => !other.locked)).toBe(true)
})

test('a guard keeps its lock, one side keeps its RWLock, a condition keeps its lock', async () => {
  const guard = new Lock().acquireSync()
  const level = new RLock().acquireSync()
  const { read } = new RWLock()
  const permit = new Semaphore(1).acquireSync()
  const condition = ((): Condition => new Condition(new Lock()))()
  await collectOften()
  const others = Array.from({ length: 20 }, () => new RWLock())
  const reading = read.acquireSync()
  for (const held of [guard, level, permit, reading, condition.acquireSync()]) held?.release()
  expect(others.every((other) => other.write.tryAcquire() !== null)).toBe(true)
})

test('who waits asynchronously keeps what it waits for', async () => {
  const names: string[] = []
  const note = (name: string) => () => names.push(name)
  const other = (() => {
    const [lock, event, semaphore, condition] = [
      new Lock(),
      new Event(),
      new Semaphore(0),
      new Condition(),
    ]
    lock.acquireSync()
    void lock
      .acquire()
      .then((guard) => guard?.release())
      .then(note('lock'))
    void event.wait().then(note('event'))
    void semaphore.acquire().then(note('semaphore'))
    condition.acquireSync()
    void condition.wait().then(note('condition'))
    return [lock, event, semaphore, condition].map(encode)
  })()
  await collectOften()
  const [lock, event, semaphore, condition] = (await decode(other)) as [
    Lock,
    Event,
    Semaphore,
    Condition,
  ]
  lock.release()
  event.set()
  semaphore.release()
  condition.acquireSync()
  condition.notify()
  condition.release()
  await until('all have gone on', () => names.length === 4)
  expect(names.sort()).toEqual(['condition', 'event', 'lock', 'semaphore'])
})

test('what is closed while somebody waits for it here is there until the wait is over', async () => {
  const event = new Event()
  const copy = encode(event)
  const wait = event.wait()
  event.close()
  expect(isThere(event.handle)).toBe(true)
  ;((await decode(copy)) as Event).set()
  expect(await wait).toBe(true)
})

describe('copies', () => {
  test('one that arrives twice takes away no other', async () => {
    const { first, second, handle } = (() => {
      const lock = new Lock()
      return { first: dumps(lock), second: dumps(lock), handle: lock.handle }
    })()
    loads(first)
    loads(first)
    await collectOften()
    expect(isThere(handle)).toBe(true)
    loads(second)
  })

  test('one that is taken back after it has arrived takes away no other', async () => {
    const { tracked, other, handle } = (() => {
      const lock = new Lock()
      return { tracked: trackInFlight(() => dumps(lock)), other: dumps(lock), handle: lock.handle }
    })()
    loads(tracked.result)
    tracked.cancel()
    await collectOften()
    expect(isThere(handle)).toBe(true)
    loads(other)
  })

  test('a message that is kept can be decoded often, and its objects stay until it is let go', async () => {
    const { kept, handle } = (() => {
      const lock = new Lock()
      return { kept: keepInFlight(() => dumps(lock)), handle: lock.handle }
    })()
    for (let n = 0; n < 3; n++) {
      loads(kept.result)
      await collectOften()
      expect(isThere(handle)).toBe(true)
    }
    kept.cancel()
    await until('it has ended', () => {
      collect()
      return !isThere(handle)
    })
    expect(() => loads(kept.result)).toThrow(stale)
  })

  test('what lies in a queue that ends, ends too, however deep', async () => {
    await untilInUse(atFirst)
    const outer = (() => {
      let inner: SharedObject = new Lock()
      for (let depth = 0; depth < 1_000; depth++) {
        const queue = new Queue()
        queue.putSync(inner)
        inner.close()
        inner = queue
      }
      return inner
    })()
    expect(inUse().objects).toBe(atFirst.objects + 1_001)
    outer.close()
    expect(inUse()).toEqual(atFirst)
  })

  test('what lies in a pipe that ends, and what was dropped from a queue, ends too', async () => {
    await untilInUse(atFirst)
    const [left, right] = Pipe()
    const queue = new Queue()
    for (const send of [(lock: Lock) => left.sendSync(lock), (lock: Lock) => queue.putSync(lock)]) {
      const lock = new Lock()
      send(lock)
      lock.close()
    }
    queue.shutdown({ immediate: true })
    left.close()
    right.close()
    queue.close()
    expect(inUse()).toEqual(atFirst)
  })
})

describe.each(kinds)('after the death of a %s', (kind) => {
  /** Lets an agent do something with the object, and kills it then. */
  const killAfter = async (scenario: string, object: SharedObject): Promise<void> => {
    const words = new Words(1)
    const other = await start(kind, 'lifetimes.mjs', scenario, object, words)
    await until(`${scenario} has come so far`, () => words.get(0) === 1)
    await other.kill()
    words.close()
  }

  test.each(['beginToSend', 'encodeOnly'])(
    'a copy that it had not sent keeps nothing (%s)',
    async (scenario) => {
      const lock = new Lock()
      await killAfter(scenario, lock)
      expect(isThere(lock.handle)).toBe(true)
      const copy = encode(lock)
      lock.close()
      expect(isThere(lock.handle)).toBe(true)
      const back = (await decode(copy)) as Lock
      expect(back.tryAcquire()).not.toBeNull()
      back.close()
      expect(isThere(lock.handle)).toBe(false)
    },
  )

  test('what it had put into a queue is there', async () => {
    const queue = new Queue<Lock>()
    await killAfter('putNewLock', queue)
    const lock = queue.getSync()
    queue.close()
    expect(lock.tryAcquire()?.ownerDied).toBe(false)
    lock.close()
  })

  test('what it had taken and not looked at ends with the queue', async () => {
    const queue = new Queue<Lock>()
    const lock = new Lock()
    queue.putSync(lock)
    lock.close()
    await killAfter('takeOnly', queue)
    expect(isThere(lock.handle)).toBe(true)
    queue.close()
    expect(isThere(lock.handle)).toBe(false)
  })
})

test('agents that send objects to and fro, and are killed, end none too early and leave none', async () => {
  await untilInUse(atFirst)
  const queues = [new Queue({ maxSize: 100 }), new Queue({ maxSize: 100 })]
  const words = new Words(100)
  const seed = Date.now() & 0xffffff
  let started = 0
  const startOne = async () => {
    const own = ++started
    const args = [queues, words, own, seed + own]
    return { own, agent: await start(kinds[own % 2], 'lifetimes.mjs', 'churn', ...args) }
  }
  const running = [await startOne(), await startOne(), await startOne(), await startOne()]
  for (let round = 0; round < CHURNS; round++) {
    const [{ own, agent }] = running.splice(0, 1)
    // A thread that is ended while it loads modules leaves their files open (nodejs/node, 20).
    await until('it has got going', () => words.get(own) > 300 || words.get(0) > 0)
    await agent.kill()
    running.push(await startOne())
  }
  for (const { own, agent } of running) {
    await until('it has got going', () => words.get(own) > 300 || words.get(0) > 0)
    await agent.kill()
  }
  expect({ seed, errors: words.get(0) }).toEqual({ seed, errors: 0 })
  for (const queue of queues) {
    for (let item = queue.tryGet(); item !== null; item = queue.tryGet()) {
      for (const object of [item.value].flat() as SharedObject[]) object.close()
    }
    queue.close()
  }
  words.close()
  await untilInUse(atFirst)
})

test.each([10, 300_000])('a queue gives back its pages (messages of %i bytes)', async (length) => {
  await untilInUse(atFirst)
  const queue = new Queue()
  for (let n = 0; n < 20; n++) queue.putSync(new Uint8Array(length))
  expect(inUse().pages).toBeGreaterThan(atFirst.pages)
  queue.close()
  expect(inUse()).toEqual(atFirst)
})

test.each(ways('spawn', 'thread'))(
  'an argument that arrives after its sender has dropped it is there (%s)',
  async (startMethod) => {
    await untilInUse(atFirst)
    const results = new Queue<boolean>()
    const child = (() => {
      const lock = new Lock()
      const target = (lock: Lock, results: Queue<boolean>) => {
        lock.acquireSync()?.release()
        results.putSync(lock.locked)
      }
      const child = new Process({ target, args: [lock, results], startMethod })
      child.start()
      lock.close()
      return child
    })()
    expect(await child.join({ timeout: 20_000 })).toBe(0)
    expect(results.getNowait()).toBe(false)
    results.close()
    child.close()
  },
)

/** Runs a program with a session of its own. */
async function program(scenario: string, count: number): Promise<any> {
  const path = fileURLToPath(new URL('fixtures/lifetime-program.mjs', import.meta.url))
  const child = spawn(process.execPath, [path, scenario, `${count}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MP_MEMORY_LIMIT: `${64 * 1024 * 1024}` },
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  await once(child, 'close')
  return JSON.parse(said)
}

/** How many locks are made and dropped; a million takes longer than a test should. */
const COUNT = Number(process.env['MP_TEST_LOCKS'] ?? 200_000)

test('locks that are made and dropped take no more memory than a few of them', async () => {
  const { high, rss } = await program('drop', COUNT)
  expect(high[0]).toBeLessThan(60_000)
  expect(rss).toBeLessThan(400_000_000)
})

test('locks that are made and closed take the place of one, without a turn of the event loop', async () => {
  const { high, rss } = await program('close', COUNT)
  expect(high[0]).toBe(1)
  expect(rss).toBeLessThan(400_000_000)
})

test('a session holds 100,000 locks', async () => {
  expect(await program('keep', 100_000)).toEqual({ made: 100_000 })
})

test('the limit of words says what it is, and what to do', async () => {
  const { made, code, message } = await program('keep', 1_000_000)
  expect({ made, code }).toEqual({ made: 116_508, code: 'ERR_MP_OUT_OF_MEMORY' })
  expect(message).toMatch(/1048576 units .* close\(\)/)
})

test('the limit of objects says what it is, and what to do', async () => {
  const { made, code, message } = await program('keepEvents', 1_000_000)
  expect({ made, code }).toEqual({ made: 262_144, code: 'ERR_MP_OUT_OF_MEMORY' })
  expect(message).toMatch(/holds 262144 shared objects.* close\(\)/)
})
