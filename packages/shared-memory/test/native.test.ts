/** The addon inside one agent: memory, arguments, errors. */
import { closeSync, openSync, readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { loadNative } from '../dist/native.js'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { BYTES, LAYOUT, LIVE, native, openSession, slotWord } from './fixtures/native-common.mjs'

let words: Int32Array
let descriptors: number

const countDescriptors = (): number => readdirSync('/proc/self/fd').length

/** As an error with this code, whose message starts with this text. */
const coded = (code: string, start = ''): unknown =>
  expect.objectContaining({ code, message: expect.stringMatching(`^${start}`) })

beforeAll(() => {
  expect(native.attached()).toBe(false)
  expect(() => native.fd()).toThrow(coded('ENOTCONN', 'fd: create or attach first'))
  expect(() => native.byteLength()).toThrow(coded('ENOTCONN'))
  expect(() => native.view(0, 4)).toThrow(coded('ENOTCONN'))
  expect(() => native.park(0, 0, 0)).toThrow(coded('ENOTCONN'))
  expect(() => native.own(0)).toThrow(coded('ENOTCONN', 'own: setLayout first'))
  refuseOtherFiles()
  words = openSession()
  descriptors = countDescriptors()
})

/** What is refused is left open, and does not stand in the way of the real session. */
function refuseOtherFiles(): void {
  const before = countDescriptors()
  const fd = openSync('/proc/self/exe', 'r')
  expect(() => native.attach(fd)).toThrow(coded('EINVAL', 'attach: .*not a session file'))
  expect(() => native.attachSibling(process.pid, fd)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^E/) }),
  )
  closeSync(fd)
  expect(() => native.attach(fd)).toThrow(coded('EBADF'))
  expect(() => native.attachSibling(process.pid, fd)).toThrow(coded('ENOENT', 'attachSibling: '))
  expect(() => native.create(2 ** 52)).toThrow(
    expect.objectContaining({ code: expect.any(String) }),
  )
  expect(countDescriptors()).toBe(before)
}

afterAll(() => {
  expect(countDescriptors()).toBe(descriptors)
})

test('a session is memory that every view shares', () => {
  expect(native.attached()).toBe(true)
  expect(native.byteLength()).toBe(BYTES)
  const bytes = new Uint8Array(native.view(4096, 4096))
  Atomics.store(words, 1024, 0x04030201)
  expect([...bytes.subarray(0, 4)]).toEqual([1, 2, 3, 4])
  expect(native.view(BYTES, 0).byteLength).toBe(0)
})

test('the addon is loaded once', () => {
  expect(loadNative()).toBe(native)
  expect(native.pid()).toBe(process.pid)
  const before = native.now()
  expect(native.now()).toBeGreaterThanOrEqual(before)
  expect(Math.abs(before - Number(process.hrtime.bigint()) / 1e6)).toBeLessThan(1000)
})

test('a second session is refused and the first one stays', () => {
  expect(() => native.create(4096)).toThrow(coded('EALREADY', 'create: '))
  expect(() => native.attach(native.fd())).toThrow(coded('EALREADY'))
  expect(native.byteLength()).toBe(BYTES)
})

test('a detached view is empty and the memory behind it is as it was', () => {
  words[2048] = 77
  const lease = native.view(8192, 4096)
  const view = new Int32Array(lease)
  expect(view[0]).toBe(77)
  native.detach(lease)
  expect(lease.byteLength).toBe(0)
  expect(view.length).toBe(0)
  expect(words[2048]).toBe(77)
})

/** A wait set in which nobody is. */
const WAITERS = 40

test('a run of pages is the caller’s again once all its buffers are emptied', () => {
  const [word, tag] = [300, 77]
  words.fill(tag, word, word + 2)
  const run = native.runOpen(word, 2, tag, WAITERS)
  const first = new Uint8Array(native.runView(run, 65_536, 100))
  const second = new Uint8Array(native.runView(run, 65_636, 50))
  expect(() => native.runView(run, 65_536, 100)).toThrow(coded('EEXIST'))
  first.fill(3)
  native.runDetach(run, first.buffer)
  native.runDetach(run, first.buffer)
  native.runDetach(run, new ArrayBuffer(8))
  expect([first.length, second.length]).toEqual([0, 50])
  native.runDetach(run, second.buffer)
  expect(native.runClose(run)).toBe(true)
  expect(native.runClose(run)).toBe(false)
  expect(() => native.runView(run, 65_536, 100)).toThrow(coded('ENOTCONN'))
  // What becomes of them is for the caller to say.
  expect([...words.subarray(word, word + 2)]).toEqual([tag, tag])
  words.fill(0, word, word + 2)
})

test('a run that something still shows is not the caller’s', () => {
  const [word, tag] = [300, 78]
  words[word] = tag
  const run = native.runOpen(word, 1, tag, WAITERS)
  const shown = native.runView(run, 65_536, 10)
  expect(native.runClose(run)).toBe(false)
  expect([shown.byteLength, words[word]]).toEqual([10, tag])
  // Somebody else's by now: it is not freed when the buffer is collected.
  words[word] = 0
})

test('wrong arguments of runs are refused', () => {
  expect(() => native.runOpen(-1, 1, 1, WAITERS)).toThrow(RangeError)
  expect(() => native.runOpen(BYTES / 4 - 1, 2, 1, WAITERS)).toThrow(coded('ERANGE'))
  expect(() => native.runOpen(300, 0, 1, WAITERS)).toThrow(RangeError)
  expect(() => native.runView({} as never, 0, 1)).toThrow(TypeError)
  const run = native.runOpen(300, 1, 1, WAITERS)
  expect(() => native.runView(run, BYTES, 1)).toThrow(RangeError)
  expect(() => native.runView(run, 0, 0)).toThrow(RangeError)
  native.runClose(run)
})

test('what is charged is a number; what it does, the tests of lifetimes show', () => {
  native.charge(50_000_000)
  native.charge(-50_000_000)
  expect(() => native.charge('1' as never)).toThrow('charge: Expected `byteLength` to be a number')
})

test('a punched range reads as zeros', () => {
  const bytes = new Uint8Array(native.view(65536, 65536))
  bytes.fill(1)
  native.punch(65536, 32768)
  expect(bytes.subarray(0, 32768).every((byte) => byte === 0)).toBe(true)
  expect(bytes.subarray(32768).every((byte) => byte === 1)).toBe(true)
  native.punch(0, 0)
})

test('park says why it came back', () => {
  const word = 40
  expect(native.park(word, 1, 1000)).toBe(1)
  const before = native.now()
  expect(native.park(word, 0, 20)).toBe(2)
  expect(native.now() - before).toBeGreaterThanOrEqual(20)
  words[word] = -1
  expect(native.park(word, -1, 0)).toBe(2)
  expect(native.park(word, 0xffffffff, -5)).toBe(2)
  words[word] = 0
})

test('spin looks at a word until it changes or the time is over', () => {
  const word = 40
  expect(native.spin(word, 1, 1000)).toBe(1)
  const before = native.now()
  expect(native.spin(word, 0, 5)).toBe(0)
  expect(native.now() - before).toBeGreaterThanOrEqual(5)
})

test('no sleep is longer than a slice', () => {
  for (const timeoutMs of [6000, Infinity]) {
    const before = native.now()
    expect(native.park(40, 0, timeoutMs)).toBe(2)
    expect(native.now() - before).toBeGreaterThanOrEqual(100)
    expect(native.now() - before).toBeLessThan(5000)
  }
})

test('a slot is owned once, and an owned slot is not claimed', () => {
  native.own(2)
  expect(() => native.own(2)).toThrow(coded('EBUSY'))
  expect(native.probe(2)).toBe(false)
  expect(native.claim(2)).toBe(false)
  expect(() => native.unclaim(2)).toThrow(coded('EPERM'))
  native.disown(2)
  expect(() => native.disown(2)).toThrow(coded('EPERM'))
  expect(native.probe(2)).toBe(true)
  expect(native.claim(2)).toBe(true)
  expect(native.claim(2)).toBe(false)
  native.unclaim(2)
})

test('a ring for all reaches every slot that is not free', () => {
  const bells = [3, 4, 5].map((slot) => slotWord(slot, LAYOUT.bellWord))
  words[slotWord(3, LAYOUT.stateWord)] = LIVE
  words[slotWord(4, LAYOUT.stateWord)] = 0x100
  words[slotWord(5, LAYOUT.stateWord)] = 0x100 | LAYOUT.goneState
  native.ringAll()
  expect(bells.map((bell) => words[bell])).toEqual([1, 0, 1])
  for (const slot of [3, 4, 5]) words[slotWord(slot, LAYOUT.stateWord)] = 0
})

test('a layout is set once and for all', () => {
  native.setLayout({ ...LAYOUT })
  const other = { ...LAYOUT, bellWord: LAYOUT.bellWord + 1 }
  expect(() => native.setLayout(other)).toThrow(coded('EINVAL'))
  const partial = { slotsWord: 1 } as unknown as typeof LAYOUT
  expect(() => native.setLayout(partial)).toThrow(/Expected `slotWords` to be a number/)
  expect(() => native.setLayout(null as unknown as typeof LAYOUT)).toThrow(TypeError)
})

test('who waits for pages is rung when the last buffer of a run is collected', async () => {
  const [word, tag] = [300, 79]
  words[word] = tag
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  words[slotWord(3, LAYOUT.stateWord)] = LIVE
  const bell = slotWord(3, LAYOUT.bellWord)
  const rung = words[bell]
  words[WAITERS] = 1 << 3
  const show = (): void => {
    const run = native.runOpen(word, 1, tag, WAITERS)
    native.runView(run, 65_536, 10)
    expect(native.runClose(run)).toBe(false)
  }
  show()
  await vi.waitFor(
    () => {
      collect()
      expect(words[word]).toBe(0)
    },
    { timeout: 10_000 },
  )
  expect([words[WAITERS], words[bell]]).toEqual([0, rung + 1])
  words[slotWord(3, LAYOUT.stateWord)] = 0
})

const wrong = { type: TypeError, code: 'ERR_INVALID_ARG_TYPE' }
const range = { type: RangeError, code: 'ERR_OUT_OF_RANGE' }
const none = undefined as unknown as number
test.each([
  ['create()', () => native.create(none), wrong],
  ['create(0)', () => native.create(0), range],
  ['attach(-1)', () => native.attach(-1), range],
  ['attach("3")', () => native.attach('3' as unknown as number), wrong],
  ['attachSibling(0, 3)', () => native.attachSibling(0, 3), range],
  ['view(-1, 4)', () => native.view(-1, 4), range],
  ['view(1.5, 4)', () => native.view(1.5, 4), range],
  ['view(NaN, 4)', () => native.view(NaN, 4), range],
  ['view(4, BYTES)', () => native.view(4, BYTES), range],
  ['view(0, 2 ** 60)', () => native.view(0, 2 ** 60), range],
  ['detach({})', () => native.detach({} as ArrayBuffer), wrong],
  ['punch(BYTES + 1, 0)', () => native.punch(BYTES + 1, 0), range],
  ['park(BYTES / 4, 0, 0)', () => native.park(BYTES / 4, 0, 0), range],
  ['spin(BYTES / 4, 0, 0)', () => native.spin(BYTES / 4, 0, 0), range],
  ['park(-1, 0, 0)', () => native.park(-1, 0, 0), range],
  ['park(0, "0", 0)', () => native.park(0, '0' as unknown as number, 0), wrong],
  ['park(0, 0, NaN)', () => native.park(0, 0, NaN), wrong],
  ['wake(0, 0)', () => native.wake(0, 0), range],
  ['wake(BYTES / 4, 1)', () => native.wake(BYTES / 4, 1), range],
  ['waiterStart(0, 1, 0)', () => native.waiterStart(0, 1, 0, none as unknown as () => void), wrong],
  ['watch(0)', () => native.watch(0), range],
  ['unwatch(-1)', () => native.unwatch(-1), range],
  ['waitExit(-1, 1)', () => native.waitExit(-1, 1), range],
  ['poll(-1, 1, 0)', () => native.poll(-1, 1, 0), range],
  ['poll(0, 8, 0)', () => native.poll(0, 8, 0), range],
  ['dieWithParent(1, 1)', () => native.dieWithParent(1, 1 as unknown as boolean), wrong],
])('%s names the argument', (title, call, { type, code }) => {
  const name = title.slice(0, title.indexOf('('))
  expect(call).toThrow(type)
  expect(call).toThrow(
    expect.objectContaining({
      code,
      message: expect.stringMatching(`^${name}: Expected \`\\w+\` to be `),
    }),
  )
})

test('a slot that is not there is an error everywhere', () => {
  const refusal = coded('ERANGE')
  for (const call of [native.own, native.disown, native.probe, native.claim, native.unclaim]) {
    expect(() => call(LAYOUT.slotCount)).toThrow(refusal)
  }
})

test('a waiter that is not there cannot be held', () => {
  expect(() => native.waiterRef()).toThrow(coded('EINVAL'))
  expect(() => native.waiterUnref()).toThrow(coded('EINVAL'))
  native.waiterStop()
})

test('a waiter can be started again after it was stopped, and only then', () => {
  for (let i = 0; i < 50; i++) {
    native.waiterStart(41, 42, Atomics.load(words, 41), () => {})
    expect(() => native.waiterStart(41, 42, 0, () => {})).toThrow(coded('EALREADY'))
    native.waiterStop()
  }
  expect(Atomics.load(words, 41)).toBe(50)
})

test('rings that come while a call is queued need no call of their own, and later ones do', async () => {
  const [bell, parked] = [43, 44]
  let calls = 0
  native.waiterStart(bell, parked, 0, () => calls++)
  native.waiterRef()
  try {
    for (let round = 1; round <= 3; round++) {
      // The event loop does not run in between, so that the second call finds the first one queued.
      for (let i = 0; i < 2; i++) {
        Atomics.or(words, parked, 2)
        Atomics.add(words, bell, 1)
        native.wake(bell, 2)
        const deadline = native.now() + 10_000
        while (Atomics.load(words, parked) !== 0 && native.now() < deadline)
          native.park(parked, 2, 1)
        expect(Atomics.load(words, parked)).toBe(0)
      }
      await vi.waitUntil(() => calls >= round, { timeout: 10_000 })
      expect(calls).toBeLessThanOrEqual(2 * round)
    }
  } finally {
    native.waiterStop()
  }
})
