/**
 * Steps taken out of rings and pipes.
 *
 * @module
 */
import { type Mutation, of } from './mutation.js'

const WAITING = 'shared-memory/dist/waiting.js'
const RING = 'shared-memory/dist/ring/message-ring.js'
const WRITER = 'shared-memory/dist/ring/ring-writer.js'
const READER = 'shared-memory/dist/ring/ring-reader.js'
const TAKEN = 'shared-memory/dist/ring/taken.js'
const DELIVERY = 'shared-memory/dist/ring/delivery.js'
const TAKING = 'shared-memory/dist/ring/taking.js'
const PIPE = 'pipe/dist/pipe-core.js'

export const messages: readonly Mutation[] = [
  ...of('ring', [
    [
      'a writer takes no lock',
      RING,
      'this.#writeLock.lock();\n        const result = this.#writer.writeOne',
      'const result = this.#writer.writeOne',
      'ring-two-putters-3',
      0,
      1,
    ],
    [
      'a reader takes no lock',
      RING,
      'this.readLock.lock();\n        const result',
      'const result',
      'ring-two-takers-3',
      0,
      1,
    ],
    [
      'a message is committed before it is written',
      WRITER,
      "if (!this.#append(bytes, length, extent, ends))\n            return 'short';",
      'Atomics.store(state.words, state.base + RING.tail, advance(tail, 1)); this.#append(bytes, length, extent, ends);',
      'ring-sync',
    ],
    [
      'a message is taken before it is read',
      READER,
      'const length = data[record];',
      'Atomics.store(words, base + RING.head, advance(head, 1)); const length = data[record];',
      'ring-sync',
      1,
      0,
    ],
    [
      'the position that is valid is written over',
      WRITER,
      'const next = base + RING.writePositions + (1 - (tail & 1)) * POSITION_WORDS;',
      'const next = base + RING.writePositions + (tail & 1) * POSITION_WORDS;',
      'ring-sync',
      1,
      0,
    ],
    [
      'a page goes back before its last message is taken',
      READER,
      'Atomics.store(words, base + RING.head, advance(head, 1));',
      'this.tidy(); Atomics.store(words, base + RING.head, advance(head, 1));',
      'ring-reuse',
      1,
      1,
    ],
    [
      'pages of long messages stay those of the sender',
      WRITER,
      'givePages(this.#state.words, this.#pages.arena, this.#index, page, pages);',
      '',
      'ring-extents',
      1,
      0,
    ],
    [
      'who takes a long message does not write it down',
      TAKING,
      'Atomics.store(words, ring + RING.taking, this.#tag);',
      '',
      'ring-extents',
      1,
      0,
    ],
    [
      'who waits for a message is not woken',
      RING,
      'this.#wakeReader();\n        }\n        else if',
      '}\n        else if',
      'ring-sync',
    ],
    [
      'who is woken for a batch does not wake the next',
      WAITING,
      'if (!set.arm(since) && isArmed)\n                    spent = true;',
      'set.arm(since);',
      'ring-shared-batch-3',
      0,
      1,
    ],
    [
      'who waits for room is not woken',
      RING,
      'if (this.notFull.any())\n            this.notFull.wakeOne();',
      '',
      'ring-full',
    ],
    [
      'it is closed while somebody writes',
      RING,
      'this.#writeLock.lock();\n        Atomics.store(words, base + RING.closed, 1);',
      'Atomics.store(words, base + RING.closed, 1);',
      'ring-closed-by-another-3',
      0,
      2,
    ],
  ]),
  ...of('pipe', [
    [
      'a copy on its way does not hold its end',
      PIPE,
      'this.#isHeldByAgent(end) || this.#isInFlight(end) || this.#isHeldByAgent(end)',
      'this.#isHeldByAgent(end)',
      'pipe-passed-on-3',
      0,
      2,
    ],
    [
      'a copy that arrives between two looks is missed',
      PIPE,
      'this.#isHeldByAgent(end) || this.#isInFlight(end) || this.#isHeldByAgent(end)',
      'this.#isHeldByAgent(end) || this.#isInFlight(end)',
      'pipe-passed-on-3',
      0,
      3,
    ],
    [
      'a copy has arrived before its end is held',
      PIPE,
      'this.hold(end);\n        if (place >= 0)\n            Atomics.store(this.session.words, this.#inFlight(end) + place, 0);',
      'if (place >= 0)\n            Atomics.store(this.session.words, this.#inFlight(end) + place, 0);\n        this.hold(end);',
      'pipe-passed-on-3',
      0,
      2,
    ],
    [
      'a copy in a message depends on its sender',
      PIPE,
      'const old = Atomics.compareExchange(words, base + PIPE.inFlight + place, agent.tag, mark);',
      'const old = 0;',
      'pipe-escrow-3',
      1,
      0,
    ],
    [
      'who takes an end does not say so before it has',
      READER,
      'if (this.#hasEnds)\n            this.#deliveries.begin();',
      '',
      'pipe-escrow-3',
      0,
      1,
    ],
    [
      'who takes an end says so no more before it holds it',
      TAKEN,
      'try {\n            return read(',
      'delivery?.end();\n        try {\n            return read(',
      'pipe-escrow-3',
      0,
      1,
    ],
    [
      'the number of a message is not written beside its ends',
      WRITER,
      'Atomics.store(words, ends[i], stamp);',
      'void stamp;',
      'pipe-escrow-taken-3',
      1,
      0,
    ],
    [
      'an end whose taker is dead counts as long as the ring is there',
      DELIVERY,
      'if (((taken - stamp) & COUNT_MASK) >= 2 ** 30)\n        return true;',
      'return true;',
      'pipe-escrow-taken-3',
      1,
      0,
    ],
    [
      'the end of file comes before the last message',
      PIPE,
      'const last = ring.tryClaim();',
      'const last = null;',
      'pipe-eof',
    ],
    [
      'who receives does not hear that the end was let go',
      PIPE,
      'this.#wakeOther(end);\n        this.#ends &= ~(1 << end);',
      'this.#ends &= ~(1 << end);',
      'pipe-eof',
    ],
    [
      'who sends does not look whether anybody receives',
      PIPE,
      'if (!this.isHeld(other(end)))\n                    throw new BrokenPipeError();\n                return putting.attempt();',
      'return putting.attempt();',
      'pipe-broken',
    ],
  ]),
]
