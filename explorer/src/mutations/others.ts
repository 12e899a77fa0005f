/**
 * Steps taken out of semaphores, events, conditions and barriers.
 *
 * @module
 */
import { type Mutation, of } from './mutation.js'

const SEMAPHORE = 'sync/dist/semaphore-core.js'
const LEDGER = 'sync/dist/ledger.js'
const EVENT = 'sync/dist/event.js'
const CONDITION = 'sync/dist/condition-core.js'
const BARRIER = 'sync/dist/barrier-core.js'

export const others: readonly Mutation[] = [
  ...of('semaphore', [
    [
      'a permit is not taken off',
      SEMAPHORE,
      'Atomics.store(words, this.#value, value - 1);',
      '',
      'semaphore-signed',
    ],
    [
      'a permit is not signed for',
      SEMAPHORE,
      'this.#held.setOwn(this.#held.own() + 1);',
      '',
      'semaphore-sync',
      1,
    ],
    [
      'permits of the dead stay with them',
      LEDGER,
      'Atomics.store(this.#words, this.#counts + slot, 0);',
      '',
      'semaphore-sync',
      1,
    ],
    [
      'permits of the living are taken for those of the dead',
      LEDGER,
      'if (!isDead(this.#words, holder))\n                continue;',
      '',
      'semaphore-sync',
    ],
    [
      'a count is used before it is signed',
      LEDGER,
      'Atomics.store(this.#words, this.#tags + own, tag);',
      '',
      'semaphore-sync',
    ],
    [
      'nobody is woken',
      SEMAPHORE,
      'for (let woken = 0; woken < count && this.#gate.isAwaited(); woken++)\n            this.#gate.wakeNext();',
      '',
      'semaphore-sync',
    ],
    [
      'a permit is given back after the leaf lock',
      SEMAPHORE,
      'Atomics.store(words, this.#value, value + count);\n        }\n        this.#leaf.unlock();',
      '}\n        this.#leaf.unlock(); if (isAllowed) Atomics.store(words, this.#value, value + count);',
      'semaphore-sync-3',
      0,
      2,
    ],
  ]),
  ...of('event', [
    ['nobody is woken', EVENT, 'this.#set.wakeAll();', '', 'event-sync'],
    [
      'the flag is put up after the wakes',
      EVENT,
      'set() {\n        const { words } = this.use(this.session);',
      'set() {\n        this.#set.wakeAll();\n        const { words } = this.use(this.session);\n        this.#set = { wakeAll() {} };',
      'event-sync',
    ],
    ['a pulse is not counted', EVENT, '(state + PULSE) | FLAG', 'state | FLAG', 'event-pulse-once'],
    [
      'a pulse is not looked for',
      EVENT,
      '|| state !== this.#seen ? true',
      '? true',
      'event-pulse-once',
    ],
    [
      'taking the flag down forgets the pulses',
      EVENT,
      'Atomics.and(this.use(this.session).words, this.#state, ~FLAG);',
      'Atomics.store(this.session.words, this.#state, 0);',
      'event-pulse-once',
    ],
  ]),
  ...of('condition', [
    [
      'a grant is not written',
      CONDITION,
      'if (!this.#grant(cells + next))\n                continue;',
      '',
      'condition-sync',
    ],
    [
      'a waiter does not say that it waits',
      CONDITION,
      'Atomics.add(this.#words, this.#cell, WAITING);',
      '',
      'condition-sync',
    ],
    ['nobody is woken', CONDITION, 'this.#set.wake(next);', '', 'condition-sync'],
    [
      'a grant is not used up',
      CONDITION,
      'Atomics.sub(this.#words, this.#cell, granted ? GRANTED : WAITING);',
      '',
      'condition-once',
    ],
    [
      'the death of the holder wakes nobody',
      CONDITION,
      'return this.#lock.wasOrphaned(this.#thefts) ? true : PENDING;',
      'return PENDING;',
      'condition-sync',
      1,
    ],
    [
      'what a dead waiter was granted is not taken over',
      CONDITION,
      'if (!this.#unclaimed() && !this.#inherit())',
      'if (!this.#unclaimed())',
      'condition-one-3',
      1,
      1,
    ],
    [
      'a grant to one that has died just now stays with it',
      CONDITION,
      'if (this.#isDead(next)) {',
      'if (false) {',
      'condition-one-3',
      1,
      1,
    ],
    [
      'a waiter goes on without the lock',
      'sync/dist/condition.js',
      'restore(takeSync(this.session, this.#lock.core, undefined));',
      'restore(0);',
      'condition-sync',
    ],
    [
      'the lock is let go before the wait has begun',
      'sync/dist/condition.js',
      'const waiter = this.#begin();\n        const restore = this.#lock.suspend();\n        const woken',
      'const restore = this.#lock.suspend();\n        const waiter = this.#core.begin(this.#lock.core);\n        const woken',
      'condition-sync',
    ],
  ]),
  ...of('barrier', [
    ['nobody is woken', BARRIER, 'if (last)\n            this.#wakeAll();', '', 'barrier-sync'],
    [
      'a party does not sign',
      BARRIER,
      'Atomics.store(words, this.#base + BARRIER.tags + slot, tag);',
      '',
      'barrier-sync',
      1,
    ],
    [
      'a party does not say in which round it is',
      BARRIER,
      'Atomics.store(words, this.#base + BARRIER.rounds + slot, round + 1);',
      '',
      'barrier-sync',
      1,
    ],
    [
      'the count is not begun again',
      BARRIER,
      'Atomics.store(this.#words, this.#base + BARRIER.arrived, 0);',
      '',
      'barrier-twice',
    ],
    [
      'the dead are not looked for',
      BARRIER,
      'if (isDead(words, Atomics.load(words, this.#base + BARRIER.tags + slot)))\n                return true;',
      '',
      'barrier-party-dies-3',
      1,
    ],
    [
      'a broken round does not fail those who look late',
      BARRIER,
      "if (Atomics.load(this.#words, this.#round) === (open | BROKEN))\n            return 'failed';",
      '',
      'barrier-timeout',
    ],
  ]),
]
