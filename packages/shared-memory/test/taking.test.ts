import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  Extent,
  MessageRing,
  OBJECT_OWNER,
  OBJECT_TYPE,
  RING_SETS,
  RING_WORDS,
  SLOT,
  SLOT_STATE,
  WAIT_SET_WORDS,
  session,
  slotWord,
  tagSlot,
} from '@mp/shared-memory/internal'
import { afterAll, expect, test } from 'vitest'

const FIXTURE = fileURLToPath(new URL('fixtures/taking.mjs', import.meta.url))
/** Two pages long. */
const LENGTH = 100_000

const shape = {
  type: OBJECT_TYPE.queue,
  words: RING_WORDS + RING_SETS * WAIT_SET_WORDS,
  sets: RING_WORDS,
  setCount: RING_SETS,
}

/** Runs a reader that is killed before its k-th change; gives its tag. */
async function killReader(index: number, generation: number, k: number): Promise<number> {
  const child = spawn(process.execPath, [FIXTURE, `${index}`, `${generation}`, `${k}`], {
    stdio: ['ignore', 'pipe', 'inherit', session().native.fd()],
  })
  let said = ''
  child.stdout?.on('data', (data: Buffer) => (said += data.toString()))
  const [, signal] = (await once(child, 'close')) as [null, string]
  expect(signal).toBe('SIGKILL')
  return Number(said)
}

/** As a reaper does first: from now on what the dead has locked can be taken. It goes on later. */
function markDead(tag: number): void {
  const word = slotWord(tagSlot(tag)) + SLOT.state
  Atomics.store(session().words, word, ((tag >>> 12) << 8) | SLOT_STATE.dead)
}

function pagesOf(owner: number): number {
  const { arena, count } = session().pages
  let pages = 0
  for (let page = 0; page < count; page++) if (arena.owner(page) === owner) pages++
  return pages
}

/** Takes what is there, and looks whether all of it is what was put. */
function takeWhole(ring: MessageRing, fill: number): Extent {
  const message = ring.tryClaim()?.inPlace()
  if (!(message instanceof Extent)) throw new Error('the long message is not there')
  const { page, byteLength } = message
  expect(byteLength).toBe(LENGTH)
  expect(
    session()
      .pages.bytes(page, byteLength)
      .every((byte) => byte === fill),
  ).toBe(true)
  return message
}

const STEPS = Array.from({ length: 17 }, (_, n) => n + 1)

/** Each starts processes, which takes long on a busy machine. */
const PARTS = 6
const rows = [true, false].flatMap((isReapedFirst) =>
  Array.from({ length: PARTS }, (_, part) => ({ isReapedFirst, part })),
)

/** What came of each row. */
const done: { taken: number }[] = []

afterAll(() => {
  if (done.length < rows.length) return
  // Both sides of the commit were met.
  const taken = done.reduce((sum, row) => sum + row.taken, 0)
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThan(2 * STEPS.length)
})

test.each(rows)(
  'whoever dies taking a long message loses no page (part $part, reaped before others come: $isReapedFirst)',
  async ({ isReapedFirst, part }) => {
    const steps = STEPS.filter((k) => k % PARTS === part)
    const own = session()
    const handle = own.directory.create(shape, () => {})
    const { base, index, generation } = handle
    const ring = new MessageRing(own, base, base + RING_WORDS, index)
    let taken = 0
    for (const k of steps) {
      ring.tryPut([new Uint8Array(LENGTH).fill(k)])
      // Of the deaths before this thread has heard; of the next one nobody tells it: it does not reap before it looks.
      own.waiting.glance()
      const tag = await killReader(index, generation, k)
      if (isReapedFirst) own.reaper.reapAll()
      else markDead(tag)
      let message: Extent | undefined
      if (ring.size === 1) message = takeWhole(ring, k)
      else taken++
      // What others put meanwhile must not lie where it was, nor be freed with what the dead had.
      ring.tryPut([new Uint8Array(LENGTH).fill(100 + k)])
      own.reaper.reapAll()
      expect(pagesOf(tag)).toBe(0)
      expect(pagesOf(own.agent.tag)).toBe(message === undefined ? 0 : 2)
      const next = takeWhole(ring, 100 + k)
      for (const { page, pages } of [message, next].filter((one) => one !== undefined)) {
        own.pages.arena.free(page, pages)
      }
      expect(pagesOf(OBJECT_OWNER | index)).toBe(1)
      expect(ring.tryTake()).toBeNull()
    }
    done.push({ taken })
    own.lifetime.forget(index)
    expect(pagesOf(OBJECT_OWNER | index)).toBe(0)
  },
)
