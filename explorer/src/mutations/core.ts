/**
 * Steps taken out of the core: sleep and wakes, reaping, the leaf lock.
 *
 * @module
 */
import { type Mutation, of } from './mutation.js'

const AGENT = 'shared-memory/dist/agent.js'
const WAITING = 'shared-memory/dist/waiting.js'
const REAPER = 'shared-memory/dist/reaper.js'
const LEAF = 'shared-memory/dist/leaf-lock.js'

export const core: readonly Mutation[] = [
  ...of('parking', [
    [
      'the sleeper does not say that it sleeps',
      AGENT,
      'Atomics.or(words, this.#parked, PARKED.sync);',
      '',
      'lock-sync',
    ],
    [
      'a ring does not change the bell',
      AGENT,
      'Atomics.add(words, base + SLOT.bell, 1);\n        if (slot === this.slot)\n            this.onSelfRing();\n        const parked',
      'const parked',
      'lock-sync',
    ],
    [
      'a ring looks who sleeps before it changes the bell',
      AGENT,
      'Atomics.add(words, base + SLOT.bell, 1);\n        if (slot === this.slot)\n            this.onSelfRing();\n        const parked = Atomics.load(words, base + SLOT.parked);',
      'const parked = Atomics.load(words, base + SLOT.parked); Atomics.add(words, base + SLOT.bell, 1); if (slot === this.slot) this.onSelfRing();',
      'lock-sync',
    ],
    [
      'the bell is looked at after the attempt',
      WAITING,
      'this.#slice(seen,',
      'this.#slice(this.#agent.bell(),',
      'lock-sync',
    ],
    [
      'a waiter sleeps without another attempt',
      WAITING,
      'const result = waitable.attempt();\n                if (result !== PENDING) {\n                    done = true;',
      'const result = this.tried === waitable ? waitable.attempt() : PENDING; this.tried = waitable;\n                if (result !== PENDING) {\n                    done = true;',
      'lock-sync',
    ],
    [
      'a spent wake is not passed on by one who leaves',
      WAITING,
      'if (spent && (!served || line.waitable.available()))\n            set.wakeOne();',
      '',
      'lock-leavers-4',
      0,
      1,
    ],
    [
      'the event loop does not look at the bell again once it listens',
      WAITING,
      'if (this.#agent.bell() === seen)\n                return;',
      'return;',
      'lock-again-async',
    ],
    [
      'deaths told before the look at the bell are not looked for, asleep',
      WAITING,
      'this.#noticeDeaths(false);\n                if (!set.arm(since)',
      'if (!set.arm(since)',
      'lock-sync',
      1,
    ],
    [
      'deaths told before the look at the bell are not looked for, in the event loop',
      WAITING,
      'this.#noticeDeaths(false);\n        this.#drainLine(line);',
      'this.#drainLine(line);',
      'lock-async',
      1,
    ],
    [
      'a death is told to one wait and not to the others',
      WAITING,
      'this.#hasNews = true;',
      '',
      'lock-news-3',
      1,
      2,
    ],
    [
      'asynchronous waiters stay in their sets while the thread blocks',
      WAITING,
      'this.#disarm(line, false);\n        }\n    }',
      '}\n    }',
      'lock-frozen-3',
      0,
      2,
    ],
  ]),
  ...of('reaper', [
    [
      'the slot is not marked dead',
      REAPER,
      'Atomics.store(words, at + SLOT.state, packState(generation, SLOT_STATE.dead));',
      '',
      'lock-orphan-3',
      1,
      2,
    ],
    ['nobody is rung', REAPER, 'this.#agent.ringAll();', '', 'lock-orphan-3', 1, 2],
    [
      'the death is not counted for those who looked too early',
      REAPER,
      'Atomics.add(words, HEADER.deaths, 1);',
      '',
      'lock-orphan-async-3',
      1,
      2,
    ],
    [
      'bits of the dead stay in the wait sets',
      'shared-memory/dist/lifetime.js',
      'Atomics.and(words, set + (slot >>> 5), ~(1 << (slot & 31)));',
      '',
      'lock-sync',
      1,
    ],
    [
      'the slot is reaped though its owner lives',
      REAPER,
      'if (!this.#coroner.claim(slot))\n            return false;',
      'this.#coroner.claim(slot);',
      'lock-orphan-3',
      1,
      2,
    ],
  ]),
  ...of('leaf lock', [
    [
      'it is taken without a look',
      LEAF,
      '!== 0)\n            this.#lockSlow();',
      '!== 0) {}',
      'semaphore-sync',
    ],
    [
      'a dead owner keeps it',
      LEAF,
      'if (owner !== tag && !isDead(words, owner))',
      'if (owner !== tag)',
      'semaphore-sync',
      1,
    ],
    [
      'a living owner loses it',
      LEAF,
      'if (owner !== tag && !isDead(words, owner))',
      'if (false)',
      'semaphore-sync',
    ],
    ['nobody is woken', LEAF, 'this.set.wakeOne();', ';', 'semaphore-sync'],
    [
      'what is derived is not derived again',
      LEAF,
      'this.#onSteal();',
      '',
      'semaphore-signal-once-3',
      1,
      2,
    ],
    [
      'whoever sleeps is looked for before it is free',
      LEAF,
      'Atomics.store(words, this.#word, 0);\n        if (this.set.any())',
      'const any = this.set.any(); Atomics.store(words, this.#word, 0);\n        if (any)',
      'semaphore-sync',
    ],
  ]),
]
