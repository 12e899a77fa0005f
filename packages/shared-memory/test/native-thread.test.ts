/** The addon between threads of one process: one mapping, an agent each. */
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  GONE,
  LAYOUT,
  LIVE,
  WORD,
  joinSlot,
  listen,
  native,
  openSession,
  ring,
  slotWord,
  waitFor,
} from './fixtures/native-common.mjs'

let words: Int32Array
let threads: number
const workers: Worker[] = []

const word = (index: number): number => Atomics.load(words, index)
const stateOf = (slot: number): number => word(slotWord(slot, LAYOUT.stateWord))
const countThreads = (): number => readdirSync('/proc/self/task').length

function start(slot: number, how: string): Worker {
  const url = new URL('fixtures/native-worker.mjs', import.meta.url)
  const worker = new Worker(url, { workerData: { slot, how } })
  workers.push(worker)
  return worker
}

beforeAll(async () => {
  words = openSession()
  joinSlot(words, 0)
  // The first worker makes threads that Node keeps.
  await start(1, 'end').terminate()
  threads = countThreads()
})

beforeEach(() => {
  for (const index of [LAYOUT.deathsWord, ...Object.values(WORD)]) Atomics.store(words, index, 0)
})

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.terminate()
  // A joined thread may still be listed for a moment.
  while (countThreads() > threads) await new Promise((resolve) => setTimeout(resolve, 1))
})

test('each worker has a waiter thread of its own, and hears its own bell only', async () => {
  const slots = [1, 2, 3, 4]
  const heard: number[] = []
  for (const slot of slots) {
    const worker = start(slot, 'echo')
    await once(worker, 'message')
    worker.on('message', (from: number) => heard.push(from))
  }
  for (let round = 0; round < 25; round++) {
    for (const slot of [...slots].reverse()) {
      const already = heard.length
      ring(words, slot)
      while (heard.length === already) await new Promise(setImmediate)
      expect(heard.at(-1)).toBe(slot)
    }
  }
  expect(heard.length).toBe(100)
})

test('a worker blocked in a sliced park can be terminated', async () => {
  for (let round = 1; round <= 5; round++) {
    Atomics.store(words, WORD.ready, 0)
    const worker = start(1, 'park')
    waitFor(words, WORD.ready, 1)
    expect(stateOf(1)).toBe(LIVE)
    const before = native.now()
    expect(await worker.terminate()).toBe(1)
    expect(native.now() - before).toBeLessThan(2000)
    expect(stateOf(1)).toBe(GONE)
    expect(word(LAYOUT.deathsWord)).toBe(round)
    expect(native.claim(1)).toBe(true)
    native.unclaim(1)
  }
})

test('a worker that is terminated rings everybody', async () => {
  const worker = start(1, 'park')
  waitFor(words, WORD.ready, 1)
  const heard = new Promise<void>((resolve) => {
    const stop = listen(words, 0, () => {
      if (word(LAYOUT.deathsWord) === 0) return
      stop()
      resolve()
    })
  })
  await Promise.all([worker.terminate(), heard])
})

test('a worker that ends while its waiter thread sleeps leaves its slot to be reaped', async () => {
  const worker = start(1, 'end')
  expect(await once(worker, 'exit')).toEqual([0])
  expect(stateOf(1)).toBe(GONE)
  expect(word(LAYOUT.deathsWord)).toBe(1)
})

test('workers can be terminated in the middle of a wake storm, every time', async () => {
  const stop = listen(words, 0, () => {})
  try {
    for (let round = 0; round < 20; round++) {
      const pair = [start(1, 'storm'), start(2, 'storm')]
      await Promise.all(pair.map((worker) => once(worker, 'message')))
      await Promise.all(pair.map((worker) => worker.terminate()))
      expect([stateOf(1), stateOf(2)]).toEqual([GONE, GONE])
    }
  } finally {
    stop()
  }
}, 60_000)

test('a claim ends with its worker', async () => {
  const worker = start(1, 'claim')
  // Its last messages and its end may be told in one go.
  await Promise.all([once(worker, 'message'), once(worker, 'exit')])
  expect(native.claim(2)).toBe(true)
  native.unclaim(2)
})

test('a living worker is not reaped by its own process', async () => {
  const worker = start(1, 'park')
  waitFor(words, WORD.ready, 1)
  expect(native.probe(1)).toBe(false)
  expect(native.claim(1)).toBe(false)
  expect(() => native.disown(1)).toThrow(expect.objectContaining({ code: 'EPERM' }))
  await worker.terminate()
  expect(native.probe(1)).toBe(true)
})
