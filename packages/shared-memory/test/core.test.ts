import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import {
  Arena,
  AT,
  HEADER,
  LeafLock,
  MAX_OBJECTS,
  MessageRing,
  OBJECT_TYPE,
  PARKED,
  PENDING,
  RING_SETS,
  RING_WORDS,
  SLICE_MS,
  SLOT,
  SLOT_STATE,
  WAIT_SET_WORDS,
  WaitSet,
  isDead,
  session,
  slotWord,
} from '@mp/shared-memory/internal'
import { afterEach, expect, test } from 'vitest'

const fixture = fileURLToPath(new URL('fixtures/core.mjs', import.meta.url))
const children: ChildProcess[] = []

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  session().reaper.reapAll()
})

function run(scenario: string, ...args: number[]): ChildProcess {
  const child = spawn(process.execPath, [fixture, scenario, ...args.map(String)], {
    stdio: ['ignore', 'pipe', 'inherit', session().native.fd()],
    env: { ...process.env, MP_MEMORY_LIMIT: `${64 * 1024 * 1024}` },
  })
  children.push(child)
  return child
}

/** What a child says, and how it ends. */
async function outcome(child: ChildProcess): Promise<{ said: string; signal: string | null }> {
  let said = ''
  child.stdout?.on('data', (data: Buffer) => (said += data.toString()))
  const [, signal] = (await once(child, 'close')) as [number, string | null]
  return { said: said.trim(), signal }
}

const usedSlots = (): number => {
  const { words } = session()
  let used = 0
  for (let slot = 0; slot < (words[HEADER.highSlot] ?? 0); slot++) {
    if (((words[slotWord(slot) + SLOT.state] ?? 0) & 0xff) !== SLOT_STATE.free) used++
  }
  return used
}

const ownedBy = (table: number, high: number, owner: (word: number) => boolean): number => {
  const { words } = session()
  let count = 0
  for (let i = 0; i < (words[high] ?? 0); i++) if (owner(words[table + i] ?? 0)) count++
  return count
}

test('an agent that has ended is dead, its slot is free again', async () => {
  expect(await outcome(run('join'))).toEqual({ said: 'joined', signal: null })
  session().reaper.reapAll()
  expect(usedSlots()).toBe(1)
})

test('threads that need a session at the same moment get one', async () => {
  const program = fileURLToPath(new URL('fixtures/two-threads.mjs', import.meta.url))
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] })
    children.push(child)
    expect((await outcome(child)).said).toBe('0,1,2')
  }
})

test('another version of the layout is refused', async () => {
  expect((await outcome(run('otherVersion'))).said).toBe('ERR_MP_VERSION')
})

test('the limit of objects is an error that says so', async () => {
  expect((await outcome(run('fillDirectory'))).said).toBe(
    `${MAX_OBJECTS} ERR_MP_OUT_OF_MEMORY true`,
  )
})

test('a session has room for 500 agents, the last ones as good as any; the limit says so', async () => {
  const { agent, waiting, directory, words, reaper } = session()
  const crowd = Array.from({ length: 5 }, () => run('joinOften', 100))
  for (const child of crowd) {
    const [said] = (await once(child.stdout as Readable, 'data')) as [Buffer]
    expect(said.toString().trim()).toBe('100')
  }
  expect(usedSlots()).toBe(501)
  const { base } = directory.create(
    { type: OBJECT_TYPE.lock, words: 64, sets: 8, setCount: 1 },
    () => {},
  )
  const lock = new LeafLock(agent, waiting, base, base + 8)
  lock.lock()
  const late = outcome(run('addInLeafLock', base, base + 8, base + 32, 1_000))
  for (let n = 0; n < 1_000; n++) {
    Atomics.store(words, base + 32, Atomics.load(words, base + 32) + 1)
    lock.unlock()
    lock.lock()
  }
  lock.unlock()
  expect((await late).said).toBe('slot 501')
  expect(Atomics.load(words, base + 32)).toBe(2_000)
  reaper.reapAll()
  const last = run('joinOften', 12)
  const [said] = (await once(last.stdout as Readable, 'data')) as [Buffer]
  expect(said.toString()).toMatch(
    /^11 ERR_MP_TOO_MANY_AGENTS The session has 512 processes and threads.*: wait until some have ended/,
  )
  for (const child of [...crowd, last]) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  reaper.reapAll()
  expect(usedSlots()).toBe(1)
})

test('a leaf lock whose owner was killed is taken over', async () => {
  const { agent, waiting, directory } = session()
  const { base } = directory.create(
    { type: OBJECT_TYPE.lock, words: 64, sets: 8, setCount: 1 },
    () => {},
  )
  let stolen = 0
  const lock = new LeafLock(agent, waiting, base, base + 8, () => stolen++)
  expect((await outcome(run('dieInLeafLock', base, base + 8))).signal).toBe('SIGKILL')
  lock.lock()
  lock.unlock()
  expect(stolen).toBe(1)
})

test.each(['sync', 'async'])(
  'a wait (%s) sees a death that was told before it began',
  async (form) => {
    const { agent, waiting, directory, deathWatch, native, words } = session()
    const { base } = directory.create(
      { type: OBJECT_TYPE.lock, words: 64, sets: 8, setCount: 1 },
      () => {},
    )
    const lock = new LeafLock(agent, waiting, base, base + 8)
    const deaths = Atomics.load(words, HEADER.deaths)
    const child = run('dieInLeafLock', base, base + 8)
    deathWatch.watch(child.pid ?? 0)
    expect((await outcome(child)).signal).toBe('SIGKILL')
    while (Atomics.load(words, HEADER.deaths) === deaths) await new Promise(setImmediate)
    // Nobody has reaped, and the bell has been rung for nobody: without a look now, only time would tell.
    const shorterThanASlice = native.now() + SLICE_MS / 2
    const result =
      form === 'sync' ? waiting.block(lock, shorterThanASlice) : await waiting.async(lock, 5_000)
    expect(result).toBe(true)
    lock.unlock()
  },
)

test('what a killed agent had begun to make is freed', async () => {
  const { pages, reaper } = session()
  expect((await outcome(run('dieHalfWay'))).signal).toBe('SIGKILL')
  reaper.reapAll()
  const { words } = session()
  const isOfDead = (owner: number): boolean => owner > 0 && owner < 1 << 30 && isDead(words, owner)
  expect(ownedBy(AT.pageTable, HEADER.highPage, isOfDead)).toBe(0)
  expect(ownedBy(AT.unitTable, HEADER.highUnit, isOfDead)).toBe(0)
  const again = pages.arena.take(5)
  expect(again).toBeGreaterThanOrEqual(0)
  pages.arena.free(again, 5)
})

test('a writer killed while it puts leaves whole messages, in order', async () => {
  const own = session()
  const handle = own.directory.create(
    {
      type: OBJECT_TYPE.queue,
      words: RING_WORDS + RING_SETS * WAIT_SET_WORDS,
      sets: RING_WORDS,
      setCount: RING_SETS,
    },
    () => {},
  )
  const { base, index } = handle
  const ring = new MessageRing(own, base, base + RING_WORDS, index)
  let expected = 0
  for (let round = 0; round < 5; round++) {
    expected = 0
    const child = run('putForever', base, base + RING_WORDS, index)
    await once(child.stdout as Readable, 'data')
    while (expected < 500) {
      const message = own.waiting.block(ring.taking(), own.agent.platform.now() + 10_000)
      if (message === PENDING) throw new Error('no message')
      expect(Buffer.from(message).toString()).toBe(`${expected}`.padEnd(expected % 300))
      expected++
    }
    child.kill('SIGKILL')
    await once(child, 'exit')
    for (let message = ring.tryTake(); message !== null; message = ring.tryTake()) {
      expect(Buffer.from(message).toString()).toBe(`${expected}`.padEnd(expected % 300))
      expected++
    }
  }
})

test('an arena gives runs that do not overlap, and takes them back', () => {
  const { pages } = session()
  const taken = [3, 1, 7].map((length) => ({ first: pages.arena.take(length), length }))
  const blocks = taken.flatMap(({ first, length }) => Array.from({ length }, (_, i) => first + i))
  expect(new Set(blocks).size).toBe(11)
  for (const { first, length } of taken) pages.arena.free(first, length)
  expect(pages.arena.take(pages.count + 1)).toBe(-1)
})

test('an arena that is full says so and loses nothing', () => {
  const { agent, directory } = session()
  const { base } = directory.create({ type: OBJECT_TYPE.lock, words: 64 }, () => {})
  const arena = new Arena(agent, base + 8, 10, base, base + 1)
  expect([arena.take(4), arena.take(4), arena.take(4)]).toEqual([0, 4, -1])
  arena.free(0, 4)
  expect(arena.take(5)).toBe(-1)
  expect(arena.take(4)).toBe(0)
  expect(arena.take(2)).toBe(8)
  expect(arena.take(1)).toBe(-1)
})

test('a wait set without arrivals wakes a thread that sleeps before an event loop', () => {
  const { agent, directory, words } = session()
  const { base } = directory.create({ type: OBJECT_TYPE.lock, words: 64 }, () => {})
  const set = new WaitSet(agent, base)
  // Two agents that are not there: one waits as a promise, one sleeps in a blocking wait.
  const [listening, asleep] = [40, 41]
  const high = Atomics.load(words, HEADER.highSlot)
  Atomics.store(words, HEADER.highSlot, Math.max(high, 42))
  for (const [slot, parked] of [
    [listening, PARKED.async],
    [asleep, PARKED.sync],
  ] as const) {
    Atomics.store(words, slotWord(slot) + SLOT.state, SLOT_STATE.live)
    Atomics.store(words, slotWord(slot) + SLOT.parked, parked)
    Atomics.or(words, base + 1, 1 << (slot & 31))
  }
  try {
    set.wakeOne()
    expect(Atomics.load(words, base + 1)).toBe(1 << (listening & 31))
    set.wakeOne()
    expect(set.any()).toBe(false)
  } finally {
    for (const slot of [listening, asleep]) {
      Atomics.store(words, slotWord(slot) + SLOT.parked, 0)
      Atomics.store(words, slotWord(slot) + SLOT.state, SLOT_STATE.free)
    }
    Atomics.store(words, HEADER.highSlot, high)
  }
})

test('a wait set wakes who has waited longest', () => {
  const { agent, directory } = session()
  const { base } = directory.create({ type: OBJECT_TYPE.lock, words: 320 }, () => {})
  const set = new WaitSet(agent, base, base + 64)
  expect(set.any()).toBe(false)
  expect(set.next().slot).toBe(-1)
  set.arm(agent.platform.now())
  expect(set.isArmed()).toBe(true)
  expect(set.next().slot).toBe(agent.slot)
  set.wakeOne()
  expect(set.disarm()).toBe(false)
})
