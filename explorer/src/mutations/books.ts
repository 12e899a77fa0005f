/**
 * Steps taken out of the books of threads without the addon.
 *
 * @module
 */
import { type Mutation, of } from './mutation.js'

const BOOKS = 'shared-memory/dist/bare/books.js'

export const books: readonly Mutation[] = of('books', [
  [
    'the claim of one who died while it told is not cleared',
    BOOKS,
    'if (Atomics.compareExchange(books, holder, -who, 0) === -who)\n            died = true;',
    '',
    'books-twice-3',
    1,
    1,
  ],
  [
    'nobody is told when such a claim is cleared',
    BOOKS,
    'if (Atomics.compareExchange(books, holder, -who, 0) === -who)\n            died = true;',
    'Atomics.compareExchange(books, holder, -who, 0);',
    'books-twice-3',
    1,
    1,
  ],
  [
    'who tells marks a slot without a claim',
    BOOKS,
    'if (Atomics.compareExchange(books, holder, who, -by) !== who)\n            continue;\n        markGone(words, slot);\n        giveSlot(books, slot, -by);',
    'if (Atomics.load(books, holder) !== who)\n            continue;\n        markGone(words, slot);\n        giveSlot(books, slot, who);',
    'books-twice-3',
    0,
    2,
  ],
  [
    'a slot is given back before it is marked',
    BOOKS,
    'markGone(words, slot);\n        giveSlot(books, slot, -by);',
    'giveSlot(books, slot, -by); markGone(words, slot);',
    'books-twice-3',
    0,
    2,
  ],
  [
    'a row is freed without a look at who has it',
    BOOKS,
    'if (thread === who && Atomics.compareExchange(books, row, who, 0) === who) {\n        Atomics.compareExchange(books, row + 1, starter, 0);',
    'if (thread === who) {\n        Atomics.store(books, row, 0); Atomics.store(books, row + 1, 0);',
    'books-rows-3',
    0,
    2,
  ],
  [
    'a row keeps the starter of one who was told of',
    BOOKS,
    'Atomics.compareExchange(books, row + 1, starter, 0);',
    '',
    'books-own-row',
    0,
    1,
  ],
  [
    'the row of one who ended half-way stays when its starter ends',
    BOOKS,
    'Atomics.compareExchange(books, row + 1, who, 0);\n        return died;',
    'return died;',
    'books-rows-3',
    1,
    1,
  ],
  [
    'a thread is noted before its starter',
    BOOKS,
    'if (Atomics.compareExchange(books, row + 1, 0, starter) !== 0)\n            continue;\n        Atomics.store(books, row, who);',
    'if (Atomics.compareExchange(books, row, 0, who) !== 0)\n            continue;\n        Atomics.store(books, row + 1, starter);',
    'books-rows-3',
    1,
    1,
  ],
  [
    'what a thread without a line had is left when its starter ends',
    BOOKS,
    'thread !== 0 && leave(words, books, thread, by)',
    'false',
    'books-rows-3',
    0,
    0,
  ],
])
