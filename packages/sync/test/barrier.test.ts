import { session } from '@mp/shared-memory/internal'
import { Process } from '@mp/process'
import { Queue } from '@mp/queue'
import { Barrier } from '@mp/sync'
import { ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { kinds, start, until } from './agents.js'
import { fail } from './fixtures/actions.mjs'
import { decode, encode } from './fixtures/transport.mjs'
import { Words } from './fixtures/words.mjs'

/** What a wait rejects with; attached at once, for it may reject while the test looks elsewhere. */
const failure = (wait: Promise<number>): Promise<unknown> =>
  wait.then(
    (index) => `passed as ${index}`,
    (error: unknown) => error,
  )

const broken = expect.objectContaining({ code: 'ERR_MP_BROKEN_BARRIER' })

test('parties pass together, and each gets the order in which it came', async () => {
  const barrier = new Barrier(3)
  expect(barrier.parties).toBe(3)
  const first = barrier.wait()
  const second = barrier.wait()
  expect(barrier.waiting).toBe(2)
  expect(barrier.waitSync()).toBe(2)
  expect(await Promise.all([first, second])).toEqual([0, 1])
  expect(barrier.waiting).toBe(0)
  expect(barrier.broken).toBe(false)
})

test('a barrier for one party never waits', async () => {
  const barrier = new Barrier(1)
  expect(barrier.waitSync({ timeout: 0 })).toBe(0)
  expect(await barrier.wait()).toBe(0)
})

test('it can be used round after round', async () => {
  const barrier = new Barrier(2)
  for (let round = 0; round < 5; round++) {
    const waits = barrier.wait()
    expect([await barrier.wait(), await waits]).toEqual([1, 0])
  }
})

test('a party that is slow to leave is not disturbed by the next rounds', async () => {
  const barrier = new Barrier(2)
  const slow = barrier.wait()
  // Nothing below gives the promise of the slow party a chance to run.
  expect(barrier.waitSync()).toBe(1)
  const next = barrier.wait()
  expect(barrier.waitSync()).toBe(1)
  const failing = failure(barrier.wait())
  barrier.reset()
  expect(await slow).toBe(0)
  expect(await next).toBe(0)
  expect(await failing).toEqual(broken)
})

test('a timeout breaks it for all until it is reset', async () => {
  const barrier = new Barrier(3)
  const patient = failure(barrier.wait())
  await expect(barrier.wait({ timeout: 5 })).rejects.toEqual(broken)
  expect(await patient).toEqual(broken)
  expect(barrier.broken).toBe(true)
  expect(barrier.waiting).toBe(0)
  await expect(barrier.wait()).rejects.toEqual(broken)
  expect(() => barrier.waitSync()).toThrow(broken)
  barrier.reset()
  expect(barrier.broken).toBe(false)
  expect(() => barrier.waitSync({ timeout: 5 })).toThrow(broken)
})

test('the timeout of the constructor holds for waits without one', async () => {
  const barrier = new Barrier(2, { timeout: 5 })
  await expect(barrier.wait()).rejects.toEqual(broken)
  barrier.reset()
  expect(() => barrier.waitSync()).toThrow(broken)
  barrier.reset()
  const patient = barrier.wait({ timeout: Infinity })
  expect(barrier.waitSync()).toBe(1)
  expect(await patient).toBe(0)
})

test('an abort rejects with its reason and breaks it for the others', async () => {
  const barrier = new Barrier(3)
  const reason = new Error('enough')
  await expect(barrier.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  expect(barrier.broken).toBe(false)
  const controller = new AbortController()
  const other = failure(barrier.wait())
  const aborted = failure(barrier.wait({ signal: controller.signal }))
  controller.abort(reason)
  expect(await aborted).toBe(reason)
  expect(await other).toEqual(broken)
  expect(barrier.broken).toBe(true)
})

test('abort() breaks it, reset() fails who waits and makes it whole', async () => {
  const barrier = new Barrier(2)
  const first = barrier.wait()
  barrier.abort()
  await expect(first).rejects.toEqual(broken)
  barrier.reset()
  const second = barrier.wait()
  barrier.reset()
  await expect(second).rejects.toEqual(broken)
  expect(barrier.broken).toBe(false)
  const third = barrier.wait()
  expect(await barrier.wait()).toBe(1)
  expect(await third).toBe(0)
})

test('the last party runs the action before any passes', async () => {
  let passed = 0
  const seen: number[] = []
  const barrier = new Barrier(2, { action: () => seen.push(passed) })
  const pass = async () => {
    await barrier.wait()
    passed++
  }
  const first = pass()
  await pass()
  await first
  barrier.reset()
  const third = pass()
  expect(barrier.waitSync()).toBe(1)
  await third
  expect(seen).toEqual([0, 2])
})

test('parties that come while the action runs belong to the next round', async () => {
  let finish!: () => void
  const running = new Promise<void>((resolve) => (finish = resolve))
  const barrier = new Barrier(2, { action: () => running })
  const round = [barrier.wait(), barrier.wait()]
  const next = [barrier.wait(), barrier.wait()]
  await Promise.resolve()
  finish()
  expect(await Promise.all(round)).toEqual([0, 1])
  expect(await Promise.all(next)).toEqual([0, 1])
})

test('an action that throws breaks it, and the last party gets the error', async () => {
  const barrier = new Barrier(2, { action: fail })
  const first = barrier.wait()
  expect(() => barrier.waitSync()).toThrow(/the action fails/)
  await expect(first).rejects.toEqual(broken)
  barrier.reset()
  const second = failure(barrier.wait())
  await expect(barrier.wait()).rejects.toThrow(/the action fails/)
  expect(await second).toEqual(broken)
})

test('wrong arguments are named', async () => {
  expect(() => new Barrier(0)).toThrow(/`parties`.*0/)
  expect(() => new Barrier(1.5)).toThrow(RangeError)
  expect(() => new Barrier('2' as never)).toThrow(TypeError)
  expect(() => new Barrier(2, { action: 'go' as never })).toThrow(/`action`.*'go'/)
  expect(() => new Barrier(2, { timeout: 'soon' as never })).toThrow(/`timeout`/)
  expect(() => new Barrier(2, 5 as never)).toThrow(/`options`/)
  const barrier = new Barrier(2)
  await expect(barrier.wait({ timeout: NaN })).rejects.toThrow(RangeError)
  expect(barrier.broken).toBe(false)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('no party is ever a round ahead, and each index is given once a round', async () => {
    const barrier = new Barrier(3)
    const words = new Words(3)
    const rounds = 200
    const agents = []
    for (const [n, form] of ['sync', 'async', 'sync'].entries()) {
      agents.push(await start(kind, 'barriers.mjs', 'run', barrier, words, form, n, rounds))
    }
    const indices = await Promise.all(agents.map((agent) => agent.result))
    for (let round = 0; round < rounds; round++) {
      expect(indices.map((all) => all[round]).sort((a, b) => a - b)).toEqual([0, 1, 2])
    }
  })

  test('the action travels with the handle', async () => {
    const barrier = new Barrier(2, { action: fail })
    const first = failure(barrier.wait())
    const other = await start(kind, 'barriers.mjs', 'wait', barrier)
    await expect(other.result).rejects.toThrow(/the action fails in agent true/)
    expect(await first).toEqual(broken)
  })

  test('a party that is killed after it has come breaks it', async () => {
    const barrier = new Barrier(3)
    const dies = await start(kind, 'barriers.mjs', 'wait', barrier)
    const lives = await start(kind, 'barriers.mjs', 'wait', barrier)
    await until('both have come', () => barrier.waiting === 2)
    expect(await barrier.wait()).toBe(2)
    await Promise.all([dies.result, lives.result])

    const second = await start(kind, 'barriers.mjs', 'wait', barrier)
    await until('it has come', () => barrier.waiting === 1)
    const third = failure(barrier.wait())
    await second.kill()
    expect(await third).toEqual(broken)
    expect(barrier.broken).toBe(true)
  })

  test('a timeout in one agent breaks it in the others', async () => {
    const barrier = new Barrier(3)
    const sync = await start(kind, 'barriers.mjs', 'wait', barrier)
    await until('it has come', () => barrier.waiting === 1)
    await expect(barrier.wait({ timeout: 5 })).rejects.toEqual(broken)
    await expect(sync.result).rejects.toMatchObject({ code: 'ERR_MP_BROKEN_BARRIER' })
  })

  test.each(['sync', 'async'])(
    'when the only other holder is killed before it comes, it breaks instead of waiting (%s)',
    async (form) => {
      const barrier = new Barrier(2)
      const words = new Words(2)
      const other = await start(kind, 'lifetimes.mjs', 'holdForEver', barrier, words)
      await until('it holds it', () => words.get(0) === 1)
      const asleep = form === 'async' ? failure(barrier.wait()) : undefined
      const killed = other.kill()
      const begin = session().native.now()
      if (asleep === undefined) expect(() => barrier.waitSync()).toThrow(broken)
      else expect(await asleep).toEqual(broken)
      expect(session().native.now() - begin).toBeLessThan(5_000)
      await killed
    },
  )

  test('when the only other holder ends in order without having come, it breaks', async () => {
    const barrier = new Barrier(2)
    const words = new Words(2)
    const other = await start(kind, 'lifetimes.mjs', 'leave', barrier, words)
    const wait = failure(barrier.wait())
    await until('it holds it', () => words.get(0) === 1)
    words.set(1, 1)
    await other.result
    await other.kill()
    expect(await wait).toEqual(broken)
  })

  test('while another holder lives, or a copy is on its way, a death does not break it', async () => {
    const barrier = new Barrier(2)
    const words = new Words(2)
    const dies = await start(kind, 'lifetimes.mjs', 'holdForEver', barrier, words)
    const lives = await start(kind, 'lifetimes.mjs', 'leave', barrier, words)
    await until('both hold it', () => words.get(0) === 2)
    const wait = failure(barrier.wait())
    await dies.kill()
    expect(barrier.broken).toBe(false)
    const onItsWay = encode(barrier)
    words.set(1, 1)
    await lives.result
    await lives.kill()
    expect(barrier.broken).toBe(false)
    const comes = await start(kind, 'lifetimes.mjs', 'come', await decode(onItsWay))
    expect([await wait, await comes.result]).toEqual(['passed as 0', 1])
  })
})

test.each(ways('spawn', 'thread'))(
  'a child that is ended before it has got the barrier breaks it (%s)',
  async (startMethod) => {
    const barrier = new Barrier(2)
    const child = new Process({
      target: (b: Barrier) => b.waitSync(),
      args: [barrier],
      startMethod,
    })
    child.start()
    const wait = failure(barrier.wait())
    child.kill()
    expect(await wait).toEqual(broken)
    await child.join()
    child.close()
  },
)

test('a copy that is lost with the queue that it lay in breaks it', async () => {
  const barrier = new Barrier(2)
  const queue = new Queue()
  queue.putSync(barrier)
  const wait = failure(barrier.wait())
  expect(barrier.broken).toBe(false)
  queue.close()
  expect(await wait).toEqual(broken)
})

test('two parties of one agent pass, though others have held it and dropped it', async () => {
  const barrier = new Barrier(2)
  const queue = new Queue()
  queue.putSync(barrier)
  expect(queue.getSync()).toBe(barrier)
  queue.close()
  const first = barrier.wait()
  expect([await barrier.wait(), await first]).toEqual([1, 0])
})
