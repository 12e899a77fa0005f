/**
 * Who holds an end of a pipe: agents, and copies of it on their way.
 *
 * A copy's place says what keeps it from being lost, in one word:
 *
 * | value                                     | meaning                                   | who leaves this state                |
 * | ----------------------------------------- | ----------------------------------------- | ------------------------------------ |
 * | 0                                         | no copy                                   | a sender, by CAS to its tag          |
 * | a tag                                     | that agent is about to send it            | the agent → a mark, 0; others, when it is dead |
 * | `OBJECT_OWNER \| receiver << 24 \| index` | it travels through that object            | its receiver → 0; others, once it cannot arrive |
 *
 * Once it travels it does not matter whether its sender lives. It cannot arrive any more when the object has ended,
 * when nobody holds the end of the pipe that receives it (`receiver`: 1 for end 0, 2 for end 1), or when the message was
 * taken and nobody decodes it. Beside the place stand the generation of the object, for its index may be another's by
 * then, and the message's number (`stampOf`), which is not known until it is put, and never of what is no queue or pipe.
 *
 * @module
 */
import {
  type Agent,
  ENTRY,
  OBJECT_OWNER,
  WAIT_SET_WORDS,
  RING_WORDS,
  entryWord,
  isDead,
  mayArrive,
} from '@mp/shared-memory/internal'
import { MAX_IN_FLIGHT, PIPE } from './layout.js'

/** One of the two ends. */
export type End = 0 | 1

/** What a copy counts on, if it counts. */
export type Support = 'none' | 'sender' | 'object'

const RECEIVER_SHIFT = 24
const INDEX_MASK = (1 << RECEIVER_SHIFT) - 1
/** An end that is inside a message, whose receiving end is inside a message, and so on: deeper nobody looks. */
const MOST_NESTED = 4

/** What the place of a copy holds that travels through an object; `receiver`: the end of a pipe, or undefined. */
export function markOf(index: number, receiver: End | undefined): number {
  return OBJECT_OWNER | ((receiver === undefined ? 0 : receiver + 1) << RECEIVER_SHIFT) | index
}

/** Whether an agent holds the end of the pipe whose words begin at `base`. */
export function isHeldByAgent(agent: Agent, base: number, end: End): boolean {
  const { words } = agent
  const first = base + PIPE.holders + end * WAIT_SET_WORDS
  const count = (agent.highSlot() + 31) >>> 5
  for (let i = 0; i < count; i++) {
    let bits = Atomics.load(words, first + i)
    while (bits !== 0) {
      if (agent.isLive(i * 32 + 31 - Math.clz32(bits & -bits))) return true
      bits &= bits - 1
    }
  }
  return false
}

/** What keeps an end in flight: the first that is found. */
export function findSupport(agent: Agent, base: number, end: End, nested = 0): Support {
  for (let place = 0; place < MAX_IN_FLIGHT; place++) {
    const support = supportOf(agent, base, end * MAX_IN_FLIGHT + place, nested)
    if (support !== 'none') return support
  }
  return 'none'
}

/** What the copy in a place counts on; `place` counts over both ends. */
export function supportOf(agent: Agent, base: number, place: number, nested = 0): Support {
  const { words } = agent
  for (;;) {
    const word = Atomics.load(words, base + PIPE.inFlight + place)
    if (word === 0) return 'none'
    if ((word & OBJECT_OWNER) === 0) return isDead(words, word) ? 'none' : 'sender'
    const generation = Atomics.load(words, base + PIPE.through + place)
    const stamp = Atomics.load(words, base + PIPE.stamps + place)
    // SYNC: a sender writes generation and stamp before the mark. Another one may have used the place in between.
    if (Atomics.load(words, base + PIPE.inFlight + place) !== word) continue
    if (canArrive(agent, word, generation, stamp, nested)) return 'object'
    const isSame =
      Atomics.load(words, base + PIPE.through + place) === generation &&
      Atomics.load(words, base + PIPE.stamps + place) === stamp
    if (isSame) return 'none'
  }
}

function canArrive(
  agent: Agent,
  mark: number,
  generation: number,
  stamp: number,
  nested: number,
): boolean {
  const { words } = agent
  const entry = entryWord(mark & INDEX_MASK)
  const isThere = (): boolean =>
    Atomics.load(words, entry + ENTRY.state) < 0 &&
    Atomics.load(words, entry + ENTRY.generation) === generation
  const receiver = (mark & ~OBJECT_OWNER) >>> RECEIVER_SHIFT
  const base = Atomics.load(words, entry + ENTRY.base)
  // The words at `base` may be another object's: then it has ended.
  if (!isThere()) return false
  // End 0 receives from ring 1, end 1 and whoever gets from a queue from ring 0.
  if (!mayArrive(agent, base + (receiver === 1 ? RING_WORDS : 0), stamp)) return false
  if (receiver === 0 || nested === MOST_NESTED) return isThere()
  const end = (receiver - 1) as End
  const isHeld =
    isHeldByAgent(agent, base, end) ||
    findSupport(agent, base, end, nested + 1) !== 'none' ||
    isHeldByAgent(agent, base, end)
  return isHeld && isThere()
}
