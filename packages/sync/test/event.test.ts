import { Event } from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { isWaiting, kinds, self, start, untilWaiting } from './agents.js'
import { Words } from './fixtures/words.mjs'

test('an event is down, then up until it is cleared', async () => {
  const event = new Event()
  expect(event.isSet()).toBe(false)
  expect(event.waitSync({ timeout: 0 })).toBe(false)
  event.set()
  event.set()
  expect(event.isSet()).toBe(true)
  expect(await event.wait()).toBe(true)
  expect(event.waitSync()).toBe(true)
  expect(await event.wait({ timeout: 0 })).toBe(true)
  event.clear()
  event.clear()
  expect(event.isSet()).toBe(false)
  expect(await event.wait({ timeout: 0 })).toBe(false)
})

test('a wait ends at its timeout, and a later one is not disturbed', async () => {
  const event = new Event()
  expect(await event.wait({ timeout: 5 })).toBe(false)
  expect(event.waitSync({ timeout: 5 })).toBe(false)
  const waits = event.wait()
  event.set()
  expect(await waits).toBe(true)
})

test('an abort before or during the wait rejects with its reason', async () => {
  const event = new Event()
  const reason = new Error('enough')
  await expect(event.wait({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const controller = new AbortController()
  const waits = event.wait({ signal: controller.signal })
  const others = event.wait()
  controller.abort(reason)
  await expect(waits).rejects.toBe(reason)
  expect(isWaiting(event, self())).toBe(true)
  event.set()
  expect(await others).toBe(true)
  expect(isWaiting(event, self())).toBe(false)
})

test('a pulse that is over before the waiter looks is not missed', async () => {
  const event = new Event()
  const waits = [event.wait(), event.wait()]
  event.set()
  event.clear()
  const late = event.wait({ timeout: 5 })
  expect(await Promise.all(waits)).toEqual([true, true])
  expect(await late).toBe(false)
})

describe.each(kinds)('between agents (%s)', (kind) => {
  test('one set wakes all waiters of either form', async () => {
    const event = new Event()
    const waiters = []
    for (const form of ['sync', 'async', 'sync']) {
      waiters.push(await start(kind, 'events.mjs', 'wait', event, form))
    }
    for (const waiter of waiters) await untilWaiting(event, waiter)
    event.set()
    expect(await Promise.all(waiters.map((waiter) => waiter.result))).toEqual([true, true, true])
  })

  test('a pulse wakes all waiters, though the flag is down when they look', async () => {
    const event = new Event()
    const waiters = []
    for (const form of ['sync', 'async', 'sync']) {
      waiters.push(await start(kind, 'events.mjs', 'wait', event, form))
    }
    for (const waiter of waiters) await untilWaiting(event, waiter)
    event.set()
    event.clear()
    expect(await Promise.all(waiters.map((waiter) => waiter.result))).toEqual([true, true, true])
    expect(event.isSet()).toBe(false)
  })

  test.each(['sync', 'async'])('two agents hand a turn to and fro (%s)', async (form) => {
    const ping = new Event()
    const pong = new Event()
    const words = new Words(2)
    const player = await start(kind, 'events.mjs', 'play', ping, pong, words, form, 300)
    for (let n = 0; n < 300; n++) {
      words.add(0, 1)
      ping.set()
      expect(await pong.wait()).toBe(true)
      pong.clear()
      expect(words.get(1)).toBe(n + 1)
    }
    expect(await player.result).toBe(300)
  })

  test('a waiter that is killed does not keep the others from waking', async () => {
    const event = new Event()
    const dies = await start(kind, 'events.mjs', 'wait', event, 'sync')
    const lives = await start(kind, 'events.mjs', 'wait', event, 'sync')
    await untilWaiting(event, dies)
    await untilWaiting(event, lives)
    await dies.kill()
    event.set()
    expect(await lives.result).toBe(true)
  })
})
