/**
 * Steps taken out of what holds messages longer than a take: the claims of acknowledged queues, leases and loans.
 *
 * @module
 */
import { type Mutation, of } from './mutation.js'

const CLAIMS = 'queue/dist/claims.js'
const ORPHANS = 'queue/dist/orphans.js'
const ACKNOWLEDGED = 'queue/dist/acknowledged-ring.js'
const MESSAGE = 'shared-memory/dist/ring/message.js'
const READER = 'shared-memory/dist/ring/ring-reader.js'
const TAKING = 'shared-memory/dist/ring/taking.js'
const RUN = 'shared-memory/dist/page-run.js'
const ARENA = 'shared-memory/dist/arena.js'
const MEMORY = 'shared-memory/dist/memory-waits.js'
const ROOM = 'shared-memory/dist/ring/room.js'

export const holding: readonly Mutation[] = [
  ...of('claims', [
    [
      'nobody notes which claim is being made',
      CLAIMS,
      'Atomics.store(words, this.#base + QUEUE.claiming, claim + 1);',
      '',
      'claims-work',
      1,
      0,
    ],
    [
      'a claim is taken over though the ring has its item still',
      ORPHANS,
      'return (Atomics.load(words, this.#base + QUEUE.claiming) !== claim + 1 ||',
      'return (true ||',
      'claims-work',
      1,
      0,
    ],
    [
      'an item is taken before its claim is signed',
      CLAIMS,
      'this.#table.store(claim, CLAIM.state, agent.tag);',
      'this.#table.store(claim, CLAIM.state, CLAIM_STATE.free);',
      'claims-work',
      1,
      0,
    ],
    [
      'who takes a claim over takes no lock',
      CLAIMS,
      'readLock.lock();\n        const isOrphan',
      'const isOrphan',
      'claims-give-back',
      0,
      2,
    ],
    [
      'who takes a claim over does not look at it again',
      CLAIMS,
      'const isOrphan = this.#orphans.has(claim);',
      'const isOrphan = true;',
      'claims-give-back',
      0,
      2,
    ],
    [
      'nobody hears that an item was given back',
      CLAIMS,
      'this.#ring.notEmpty.wakeOne();',
      '',
      'claims-leave-3',
      0,
      1,
    ],
    [
      'what is given back is not counted',
      CLAIMS,
      'Atomics.add(this.#session.words, this.#base + QUEUE.returns, 1);',
      '',
      'claims-leave-3',
      0,
      1,
    ],
    [
      'who takes an item over is not told',
      CLAIMS,
      'delivery & 0xffff), deliveries - 1);',
      'delivery & 0xffff), 0);',
      'claims-give-back',
      0,
      1,
    ],
    [
      'a page is freed though a claim lies in it',
      CLAIMS,
      'pinned[page >>> 5] |= 1 << (page & 31);',
      '',
      'claims-pages',
      0,
      1,
    ],
    [
      'who waits for the end is not told that all is done',
      ACKNOWLEDGED,
      'if (this.closed && this.isDone())\n            this.notEmpty.wakeAll();',
      '',
      'claims-work',
      0,
      2,
    ],
  ]),
  ...of('lease', [
    [
      'what a dead reader had begun to take is not given back by the next',
      TAKING,
      'if (old !== 0)\n            giveBack(words, ring, this.#pages, this.#mark, old);',
      '',
      'lease-reaped-3',
      1,
      1,
    ],
    [
      'what a dead reader had begun to take is not given back by its reaper',
      TAKING,
      'giveBack(words, base + n * RING_WORDS, pages, mark, tag);',
      ';',
      'lease-takers',
      1,
      0,
    ],
    [
      'what a dead reader has taken goes back to the ring',
      TAKING,
      '!== tag || isTaken)',
      '!== tag)',
      'lease-takers',
      1,
      0,
    ],
    [
      'a reader does not make the pages its own',
      TAKING,
      'if (this.#pages.swap(page + i, this.#mark, this.#tag))\n                continue;',
      'continue;',
      'lease-outlived-3',
      0,
      1,
    ],
    [
      'pages are free before nobody sees them any more',
      RUN,
      'if (this.end())\n            freeRun(this.#session, this.first, this.count);',
      'freeRun(this.#session, this.first, this.count); this.end();',
      'lease-reuse',
      0,
      1,
    ],
    [
      'the note of a taking is cleared before the message is taken',
      READER,
      'Atomics.store(words, base + RING.head, advance(head, 1));\n        if (isExtent && keeper === undefined)\n            this.#taking.end();',
      'if (isExtent && keeper === undefined)\n            this.#taking.end();\n        Atomics.store(words, base + RING.head, advance(head, 1));',
      'lease-takers',
      1,
      0,
    ],
    [
      'the pages of a loan that was not put are freed',
      MESSAGE,
      'if (extent !== null && extent !== messages[n])',
      'if (extent !== null)',
      'loan-refused',
      0,
      1,
    ],
  ]),
  ...of('memory', [
    [
      'who frees pages wakes nobody',
      ARENA,
      'this.#remember(first, length);\n        this.onFreed();',
      'this.#remember(first, length);',
      'memory-wait',
      0,
      1,
    ],
    [
      'who is short of pages does not look again once it is armed',
      ROOM,
      'this.#isShort = !memory.try(attempt);',
      '',
      'memory-wait',
      0,
      2,
    ],
    [
      'a wake for one ring is lost for another',
      MEMORY,
      'return this.#rooms.get(room) === this.#armings;',
      'return this.#rooms.has(room) && this.#set.isArmed();',
      'memory-wait-two-rings',
      0,
      1,
    ],
    [
      'an asynchronous waiter does not see that it was woken for pages',
      ROOM,
      'return super.isArmed() && !this.#isRung();',
      'return super.isArmed();',
      'memory-wait-async',
      0,
      1,
    ],
    [
      'who leaves still looks short of pages',
      ROOM,
      'this.#memory.disarm(this);',
      '',
      'memory-wait',
      0,
      1,
    ],
    [
      'what is enough for two wakes one',
      MEMORY,
      'this.#set.wakeAll();',
      'this.#set.wakeOne();',
      'memory-wait-two-3',
      0,
      1,
    ],
  ]),
]
