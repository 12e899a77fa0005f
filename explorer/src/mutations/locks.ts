/**
 * Steps taken out of `Lock`, its gate, and `RWLock`.
 *
 * @module
 */
import { type Mutation, of } from './mutation.js'

const LOCK = 'sync/dist/lock-core.js'
const GATE = 'sync/dist/gate.js'
const RW = 'sync/dist/rw-core.js'

export const locks: readonly Mutation[] = [
  ...of('lock', [
    [
      'it is taken without a compare',
      LOCK,
      'if (!this.#swap(word, tag | (word & AWAITED)))\n                continue;',
      'Atomics.store(words, this.#owner, tag | (word & AWAITED));',
      'lock-again',
    ],
    [
      'a dead holder keeps it',
      LOCK,
      '(owner === tag || !isDead(words, owner))',
      'true',
      'lock-sync',
      1,
    ],
    [
      'a death is not told',
      LOCK,
      'return owner;\n        }\n    }',
      'return 0;\n        }\n    }',
      'lock-sync',
      1,
    ],
    [
      'who waits does not say so',
      LOCK,
      'if (this.#swap(word, word | AWAITED))\n                    return PENDING;\n                continue;',
      'return PENDING;',
      'lock-sync',
    ],
    [
      'what one who waits says is not kept by the next holder',
      LOCK,
      'tag | (word & AWAITED)',
      'tag',
      'lock-sync-3',
      0,
      2,
    ],
    [
      'what one who waits says is gone when it is free',
      LOCK,
      'if (this.#swap(word, word & AWAITED))',
      'if (this.#swap(word, 0))',
      'lock-sync-3',
      0,
      2,
    ],
    [
      'who waits is not looked for again',
      LOCK,
      'if (!this.#gate.isAwaited())\n                return;\n            Atomics.or(this.words, this.#owner, AWAITED);',
      'return;',
      'lock-marked-4',
      0,
      2,
    ],
    ['nobody is woken', LOCK, 'this.#gate.wakeNext();', '', 'lock-sync'],
  ]),
  ...of('gate', [
    [
      'one who leaves keeps its place',
      GATE,
      'leave() {\n        this.#queue.disarm();',
      'leave() {',
      'lock-timeout',
    ],
    [
      'one who got it keeps its place',
      GATE,
      'if (!this.#session.waiting.hasLine(this.#set))\n            this.#queue.disarm();',
      '',
      'lock-again',
    ],
    [
      'right of way outlives its owner',
      GATE,
      'if (isDead(this.#words, owner))\n            return true;\n        if (!this.#isWaiting(tagSlot(owner)))\n            return true;',
      '',
      'lock-again',
      1,
      2,
    ],
    [
      'right of way is kept by one who waits no longer',
      GATE,
      'if (!this.#isWaiting(tagSlot(owner)))\n            return true;',
      '',
      'lock-timeout',
      1,
    ],
    ['its owner is not woken', GATE, 'this.#wake(tagSlot(gate));', '', 'lock-gate-3', 0, 2],
  ]),
  ...of('read-write lock', [
    [
      'a writer does not look for readers',
      RW,
      '(writer === 0 || isDead(words, writer)) && !this.#isRead()',
      'writer === 0 || isDead(words, writer)',
      'rwlock-sync',
    ],
    [
      'a reader does not look for a writer',
      RW,
      'const isFree = writer === 0 || isDead(words, writer);\n        if (isFree) {\n            if',
      'const isFree = true;\n        if (isFree) {\n            if',
      'rwlock-sync',
    ],
    ['a reader does not sign', RW, 'this.#held.setOwn(this.#held.own() + 1);', '', 'rwlock-sync'],
    [
      'the last reader wakes nobody',
      RW,
      'this.gate.wakeNext();\n        }\n        return true;\n    }\n    releaseWrite',
      ';\n        }\n        return true;\n    }\n    releaseWrite',
      'rwlock-sync',
    ],
    [
      'a writer wakes no readers',
      RW,
      'this.reading.wakeAll();\n            this.gate.wakeNext();',
      'this.gate.wakeNext();',
      'rwlock-sync',
    ],
    [
      'a dead writer keeps it',
      RW,
      'const isFree = (writer === 0 || isDead(words, writer)) &&',
      'const isFree = writer === 0 &&',
      'rwlock-writers',
      1,
    ],
    [
      'reads of the dead stay',
      RW,
      'if (this.#held.settle() !== 0)\n            this.#derive();',
      '',
      'rwlock-sync',
      1,
    ],
    [
      'those who wait are looked for before it is free only',
      RW,
      'if (isAwaited || this.reading.any() || this.gate.isAwaited()) {',
      'if (isAwaited) {',
      'rwlock-sync',
    ],
  ]),
]
