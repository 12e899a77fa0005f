/**
 * Canaries: what the packages take for granted of an engine, to be heard of by the Node that changes it.
 *
 * The tests of the addon have more of them: no wake is lost, views are collected, threads end in a storm of wakes.
 */
import { Process, type StartMethod } from '@mp/process'
import { OBJECT_TYPE, session } from '@mp/shared-memory/internal'
import { Program, until } from 'mp-internal'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { WORD, contend } from './fixtures/canaries.mjs'

const [major = 0] = process.versions.node.split('.').map(Number)

function makeWords(): number {
  const { directory } = session()
  return directory.create({ type: OBJECT_TYPE.lock, words: 64 }, () => {}).base
}

test('every atomic operation is exact between processes and threads, through both kinds of view', async () => {
  const { words } = session()
  const base = makeWords()
  const methods: StartMethod[] = ['spawn', 'thread', 'spawn', 'thread']
  const times = 30_000
  const agents = methods.map((startMethod, agent) =>
    new Process({ target: contend, args: [base, agent, times], startMethod }).start(),
  )
  await until('all are there', () => Atomics.load(words, base + WORD.done) === methods.length)
  Atomics.store(words, base + WORD.gate, 1)
  for (const agent of agents) expect(await agent.join({ timeout: 25_000 })).toBe(0)
  const word = (index: number): number => Atomics.load(words, base + index)
  expect(word(WORD.added)).toBe(methods.length * times)
  expect(word(WORD.swapped)).toBe(methods.length * times)
  expect(word(WORD.bits)).toBe(0)
  expect(word(WORD.faults)).toBe(0)
  // 1 + 2 + 3 + 4, and the 0 that was there.
  expect(word(WORD.held) + word(WORD.token)).toBe(10)
})

test('the control region is a SharedArrayBuffer where Node can make one over outside memory', () => {
  const { native, words } = session()
  const isShared = words.buffer instanceof SharedArrayBuffer
  // Node 22 has it from some version on.
  if (major !== 22) expect(isShared).toBe(major >= 24)
  const base = makeWords()
  const plain = new Int32Array(native.view(base * 4, 4))
  const shared = new Int32Array(native.sharedView(base * 4, 4))
  Atomics.store(plain, 0, 5)
  expect(Atomics.add(shared, 0, 1)).toBe(5)
  expect(Atomics.load(words, base)).toBe(6)
})

test.each([
  ['detached', 'whoever transfers, detaches or clones a buffer of ours harms no memory'],
  ['teardown', 'a thread can end in any way with everything in use, and the process after it'],
])('%s: %s', async (name) => {
  const fixture = fileURLToPath(new URL(`fixtures/canary-${name}.mjs`, import.meta.url))
  const program = new Program(process.execPath, { args: ['--expose-gc', fixture] })
  expect(await program.end()).toEqual({ code: 0, signal: null, stdout: 'fine\n', stderr: '' })
})
