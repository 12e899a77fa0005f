/** The addon between processes: one memory, wakes, deaths, and ends of every kind. */
import { type ChildProcess, type StdioOptions, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  LAYOUT,
  WORD,
  joinSlot,
  listen,
  native,
  openSession,
  put,
  slotWord,
  waitFor,
} from './fixtures/native-common.mjs'

let words: Int32Array
let here: string
let descriptors: number
const children: ChildProcess[] = []

const fixture = (name: string): string =>
  fileURLToPath(new URL(`fixtures/native-${name}.mjs`, import.meta.url))
const countDescriptors = (): number => readdirSync('/proc/self/fd').length

/** Starts a fixture in this session; the test's end kills what is left of it. */
function start(name: string, ...args: (string | number)[]): { child: ChildProcess; pid: number } {
  const stdio: StdioOptions = ['ignore', 'inherit', 'inherit', native.fd()]
  const child = spawn(process.execPath, [fixture(name), ...args.map(String)], { stdio })
  children.push(child)
  if (child.pid === undefined) throw new Error(`${name} did not start`)
  return { child, pid: child.pid }
}

/** Runs a fixture with a session of its own to its end, or to the deadline. */
function run(
  name: string,
  ...args: string[]
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const options = { timeout: 20_000, killSignal: 'SIGKILL' as const }
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--expose-gc', fixture(name), ...args],
      options,
      (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : (error.code ?? error.signal), stdout, stderr })
      },
    )
  })
}

/** Waits without blocking the event loop, so that 'exit' events come. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1))
}

const word = (index: number): number => Atomics.load(words, index)

beforeAll(() => {
  words = openSession()
  here = `${process.pid}:${native.fd()}`
  joinSlot(words, 0)
  // The watch thread's descriptor stays: it is made on first use.
  native.unwatch(native.watch(process.pid) ?? 0)
  descriptors = countDescriptors()
})

beforeEach(() => {
  for (const index of [LAYOUT.deathsWord, ...Object.values(WORD)]) Atomics.store(words, index, 0)
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await until(() => readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8') === '')
  expect(countDescriptors()).toBe(descriptors)
})

test('a child that inherits the file shares the memory', async () => {
  const { child } = start('player', 'inherited', 1)
  put(words, WORD.ball, 1)
  waitFor(words, WORD.ball, 2)
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('a sibling opens it by process and descriptor', async () => {
  const { child } = start('player', here, 1)
  put(words, WORD.ball, 1)
  waitFor(words, WORD.ball, 2)
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('no wake is lost between two processes that sleep in turn', async () => {
  const { child } = start('player', 'inherited', 20_000)
  for (let round = 0; round < 20_000; round++) {
    put(words, WORD.ball, 2 * round + 1)
    waitFor(words, WORD.ball, 2 * round + 2)
  }
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('atomics on plain views are exact between processes', async () => {
  const adders = [start('adder', 'inherited', 1_000_000), start('adder', here, 1_000_000)]
  waitFor(words, WORD.ready, 2)
  put(words, WORD.gate, 1)
  await Promise.all(adders.map(({ child }) => once(child, 'exit')))
  expect(word(WORD.count)).toBe(2_000_000)
  expect(word(WORD.spin)).toBe(200_000)
})

test('a ring from another process reaches a waiting event loop', async () => {
  let rings = 0
  const stop = listen(words, 0, () => rings++)
  try {
    start('member', 'inherited', 1, 'storm')
    await until(() => rings > 100)
  } finally {
    stop()
  }
})

test('a killed process is heard of, and its slot can be claimed', async () => {
  const { child, pid } = start('member', 'inherited', 1, 'busy')
  waitFor(words, WORD.ready, 1)
  expect(native.probe(1)).toBe(false)
  expect(native.claim(1)).toBe(false)
  expect(native.watch(pid)).toBeGreaterThan(0)
  const heard = new Promise<void>((resolve) => {
    const stop = listen(words, 0, () => {
      if (word(LAYOUT.deathsWord) === 0) return
      stop()
      resolve()
    })
  })
  child.kill('SIGKILL')
  await heard
  await until(() => native.probe(1))
  expect(native.claim(1)).toBe(true)
  native.unclaim(1)
  // Nobody has marked it: the word is as the dead process left it.
  expect(word(slotWord(1, LAYOUT.stateWord)) & 0xff).toBe(LAYOUT.liveState)
})

test('a stopped process is not dead', () => {
  const { child } = start('member', 'inherited', 1, 'busy')
  waitFor(words, WORD.ready, 1)
  child.kill('SIGSTOP')
  expect(native.claim(1)).toBe(false)
})

test('a busy process dies with its parent', async () => {
  const { child: parent } = start('parent', here, 2)
  waitFor(words, WORD.ready, 1)
  const before = word(WORD.spin)
  await until(() => word(WORD.spin) !== before)
  expect(native.probe(2)).toBe(false)
  parent.kill('SIGKILL')
  await until(() => native.probe(2))
})

test('waiting for a child blocks, tells how it ended, and leaves its exit event', async () => {
  const { child, pid } = start('member', 'inherited', 1, 'exit')
  waitFor(words, WORD.ready, 1)
  expect(native.waitExit(pid, 10)).toBe(null)
  put(words, WORD.gate, 1)
  let ended = null
  while (ended === null) ended = native.waitExit(pid, 100)
  expect(ended).toEqual({ code: 5, signal: null })
  expect(native.waitExit(pid, 0)).toEqual({ code: 5, signal: null })
  expect(await once(child, 'exit')).toEqual([5, null])
  expect(() => native.waitExit(pid, 100)).toThrow(expect.objectContaining({ code: 'ECHILD' }))
})

test('waiting for a child names the signal that ended it', async () => {
  const { child, pid } = start('member', 'inherited', 1, 'busy')
  waitFor(words, WORD.ready, 1)
  child.kill('SIGKILL')
  let ended = null
  while (ended === null) ended = native.waitExit(pid, 100)
  expect(ended).toEqual({ code: null, signal: 9 })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
})

test.each([
  ['exit', 7, ''],
  ['exit-parked', 7, ''],
  ['return', 0, ''],
  ['throw', 1, 'thrown in the storm'],
])(
  'a process can end by %s in the middle of a wake storm, every time',
  async (how, code, message) => {
    for (let round = 0; round < 20; round++) {
      const ended = await run('exiter', how)
      expect(ended).toMatchObject({ code, stdout: '' })
      if (message === '') expect(ended.stderr).toBe('')
      else expect(ended.stderr).toContain(message)
    }
  },
  120_000,
)

test('a waiter thread does not keep a process alive, unless told to', async () => {
  expect(await run('waiter', 'unref')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await run('waiter', 'ref')).toEqual({ code: 0, stdout: 'rung\n', stderr: '' })
})

test('what the callback throws is an uncaught exception', async () => {
  const { code, stdout, stderr } = await run('waiter', 'throw')
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'rung\n' })
  expect(stderr).toContain('thrown by the callback')
})

test('collecting views never unmaps the memory', async () => {
  expect(await run('collector')).toEqual({ code: 0, stdout: '0 262144\n', stderr: '' })
})

test('the addon outlives the worker that was alone in loading it', async () => {
  expect(await run('lone-worker')).toEqual({ code: 0, stdout: '3\n', stderr: '' })
})
