/**
 * Where everything lies in a session's shared memory, in 32-bit words.
 *
 * The session is one sparse file: a control region of words that only `Atomics`
 * touch, then pages of data. Nothing else in the project knows a position; the
 * addon is told those it needs. A change here changes `layoutHash`, so that two
 * versions in one process tree refuse each other instead of corrupting memory.
 *
 * @module
 */

/**
 * Header, words 0–63.
 *
 * | word | name       | meaning                                                   | written by            |
 * | ---- | ---------- | --------------------------------------------------------- | --------------------- |
 * | 0    | magic      | `mp01`                                                    | the root, once        |
 * | 1    | hash       | `layoutHash` of the code that made the session            | the root, once        |
 * | 2    | ready      | 1 when the header is complete; stored last                | the root, once        |
 * | 3    | pages      | number of data pages                                      | the root, once        |
 * | 4–7  | id         | 128 random bits                                           | the root, once        |
 * | 8    | deaths     | how often a death was reported; a hint to look            | death watch, teardown |
 * | 9    | highSlot   | 1 + highest slot ever used; only grows                    | joiners               |
 * | 10   | graves     | next entry of the graveyard                               | reapers               |
 * | 11   | blind      | 1 once a process could not be watched: look for deaths    | `DeathWatch`          |
 * | 16   | unitRotor  | where to look for free units first; a hint                | allocators            |
 * | 17   | pageRotor  | where to look for free pages first; a hint                | allocators            |
 * | 18   | entryRotor | where to look for a free directory entry first; a hint    | allocators            |
 * | 19   | highUnit   | 1 + highest unit ever used; only grows                    | allocators            |
 * | 20   | highPage   | 1 + highest page ever used; only grows                    | allocators            |
 * | 21   | highEntry  | 1 + highest directory entry ever used; only grows         | allocators            |
 * | 22   | copyRotor  | where to look for a free place of a copy first; a hint    | senders               |
 * | 23   | highCopy   | 1 + highest place of a copy ever used; only grows         | senders               |
 * | 24   | lowPage    | where to look for a free page for a ring first; a hint    | allocators            |
 * | 32–47 | memory    | wait set of those who are short of pages                  | see `memory-waits.ts` |
 */
export const HEADER = {
  magic: 0,
  hash: 1,
  ready: 2,
  pages: 3,
  id: 4,
  deaths: 8,
  highSlot: 9,
  graves: 10,
  blind: 11,
  unitRotor: 16,
  pageRotor: 17,
  entryRotor: 18,
  highUnit: 19,
  highPage: 20,
  highEntry: 21,
  copyRotor: 22,
  highCopy: 23,
  lowPage: 24,
  memory: 32,
} as const

/** The four bytes `mp01`, little-endian. */
export const MAGIC = 0x3130706d

/** How many agents (main threads and worker threads) can be in a session at a time. */
export const MAX_AGENTS = 512
/** Words of a set of agents: one bit each. */
export const AGENT_SET_WORDS: number = MAX_AGENTS / 32

/**
 * A slot: one agent. Its state word is `generation << 8 | state`.
 *
 * | word | name   | meaning                                                                    |
 * | ---- | ------ | -------------------------------------------------------------------------- |
 * | 0    | state  | see `SLOT_STATE`                                                           |
 * | 1    | pid    | process id                                                                 |
 * | 2    | thread | `worker_threads` thread id; 0 for a main thread                            |
 * | 3    | parent | tag of the agent that started it; 0 for the root                           |
 * | 4    | watcher | tag of the agent whose process watches this one; 0 for the root          |
 * | 8–10 | stock  | pids of copies that its fork server has in stock; written by the kernel    |
 * | 16   | bell   | counts rings; the futex on which the agent sleeps                          |
 * | 17   | parked | 1: its thread sleeps on the bell; 2: its waiter thread is armed; 4: its thread spins |
 */
export const SLOT = {
  state: 0,
  pid: 1,
  thread: 2,
  parent: 3,
  watcher: 4,
  stock: 8,
  bell: 16,
  parked: 17,
} as const
export const SLOT_WORDS = 64
/** How many copies an agent's fork server can have in stock. */
export const STOCK_WORDS = 3

/**
 * State of a slot (the low byte of its state word).
 *
 * | state   | meaning                                               | who leaves it                        |
 * | ------- | ----------------------------------------------------- | ------------------------------------ |
 * | free    | nobody                                                | a joiner, by CAS to joining (gen+1)  |
 * | joining | its owner fills the other words                       | the owner → live; a reaper → dead    |
 * | live    | an agent that may run                                 | the owner → exiting; → gone; → dead  |
 * | exiting | its process is in its `exit` event                    | a reaper → dead                      |
 * | gone    | its thread has ended, the process lives               | a reaper → dead                      |
 * | dead    | a reaper has claimed it and recovers what it held     | the reaper → free                    |
 */
export const SLOT_STATE = { free: 0, joining: 1, live: 2, exiting: 3, gone: 4, dead: 5 } as const

/** Bits of a slot's `parked` word. Who spins looks at the bell and need not be woken. */
export const PARKED = { sync: 1, async: 2, spin: 4 } as const

/** The graveyard: the last deaths, so that `deadOwner` can say who. A ring of entries of 4 words: tag, pid, state it died in, and the three xor-ed. */
export const GRAVE_WORDS = 4
export const GRAVES = 64

/**
 * An entry of the object directory, 24 words. `lifetime.ts` has who changes them when.
 *
 * | word | name       | meaning                                                                              |
 * | ---- | ---------- | ------------------------------------------------------------------------------------ |
 * | 0    | state      | 0 free · > 0: tag of the agent that makes or ends it · < 0: it is there, and the low  |
 * |      |            | 31 bits count how often somebody came to hold it or sent it                          |
 * | 1    | kind       | bits 0–7 `OBJECT_TYPE` · 8–23 length of its body in units · 24–26 `ENTRY_FLAG`        |
 * | 2    | base       | first word of its body                                                               |
 * | 3    | sets       | bits 0–15 first wait set, relative to its body · 16–23 how many follow each other    |
 * | 4    | generation | a handle is (index, generation): the count of `state` when it was made               |
 * | 5    | last       | at least the count of `state` when the last object here ended                        |
 * | 6    | copies     | at least as many as there are copies of its handle on their way                      |
 * | 7    | pages      | which data pages it may have: bits 0–15 page / 4 of the first, 16–31 of the last      |
 * | 8–23 | holders    | which agents hold a handle                                                           |
 */
export const ENTRY = {
  state: 0,
  kind: 1,
  base: 2,
  sets: 3,
  generation: 4,
  last: 5,
  copies: 6,
  pages: 7,
  holders: 8,
} as const
export const ENTRY_WORDS = 24
export const ENTRY_FREE = 0
/** The value of an entry's `pages` that names none. */
export const NO_PAGES = 0xffff

export const DEFAULT_MAX_OBJECTS: number = 1 << 18

/**
 * How many shared objects a session can hold at a time: as `MP_MAX_OBJECTS` says, or the default.
 *
 * It decides where everything else lies, so it is read once, and a child always gets that of its parent.
 */
export const MAX_OBJECTS: number = maxObjects(process.env['MP_MAX_OBJECTS'])

/**
 * Bits of an entry's `kind`; once set they stay while the object is there.
 *
 * | flag     | meaning                                                                             |
 * | -------- | ----------------------------------------------------------------------------------- |
 * | doubtful | an agent died that held it while copies were on their way: `copies` may be too high |
 * | lost     | an agent died that held it, or a copy was lost on its way                           |
 * | contains | copies of handles were sent through it: they end with it                            |
 */
export const ENTRY_FLAG = { doubtful: 0x1000000, lost: 0x2000000, contains: 0x4000000 } as const

/**
 * A copy of a handle on its way, 4 words. Words 0 and 1 change together, as one of 64 bits.
 *
 * | word | name   | meaning                                                                                |
 * | ---- | ------ | -------------------------------------------------------------------------------------- |
 * | 0    | owner  | 0 free · tag of the sender · `OBJECT_OWNER \| index` of what it travels through ·       |
 * |      |        | `COPY_ADRIFT`: its sender handed the bytes to somebody whom we do not know              |
 * | 1    | use    | which use of the place it is; odd: on its way                                          |
 * | 2    | object | index of the object                                                                    |
 */
export const COPY = { owner: 0, use: 1, object: 2 } as const
export const COPY_WORDS = 4
export const COPY_ADRIFT = -1

/** What an object of the directory is. Numbers are part of the layout: never reuse one. */
export const OBJECT_TYPE = {
  lock: 1,
  rlock: 2,
  semaphore: 3,
  event: 4,
  condition: 5,
  barrier: 6,
  rwlock: 7,
  queue: 8,
  pipe: 9,
  array: 10,
  process: 11,
  pool: 12,
  value: 13,
  list: 14,
} as const

/** A unit of the control region's arena: 64 words, 256 bytes. */
export const UNIT_WORDS = 64
export const UNITS: number = MAX_OBJECTS * 4

/** A page of data, in bytes. 64 KiB is a multiple of the page size of every supported machine. */
export const PAGE_BYTES = 65_536
/** The most pages that a session can have: 16 GiB. */
export const MAX_PAGES: number = 1 << 18

const SLOTS_AT = 1024
const GRAVES_AT = SLOTS_AT + MAX_AGENTS * SLOT_WORDS
const DIRECTORY_AT = GRAVES_AT + GRAVES * GRAVE_WORDS
const COPIES_AT = DIRECTORY_AT + MAX_OBJECTS * ENTRY_WORDS
// As many copies can be on their way at a time as there can be objects.
const PAGE_TABLE_AT = COPIES_AT + MAX_OBJECTS * COPY_WORDS
const UNIT_TABLE_AT = PAGE_TABLE_AT + MAX_PAGES
const UNITS_AT = UNIT_TABLE_AT + UNITS
const CONTROL_END = UNITS_AT + UNITS * UNIT_WORDS

/** First words of the parts of the control region. */
export const AT: {
  readonly slots: number
  readonly graves: number
  readonly directory: number
  readonly copies: number
  /** One word a page: 0 free, the tag of the agent that took it, or `OBJECT_OWNER | index` of an object. */
  readonly pageTable: number
  /** One word a unit, likewise. */
  readonly unitTable: number
  readonly units: number
} = {
  slots: SLOTS_AT,
  graves: GRAVES_AT,
  directory: DIRECTORY_AT,
  copies: COPIES_AT,
  pageTable: PAGE_TABLE_AT,
  unitTable: UNIT_TABLE_AT,
  units: UNITS_AT,
}

/** Marks an owner word that names an object (by its directory index) instead of an agent. */
export const OBJECT_OWNER: number = 1 << 30

/** Length of the control region in bytes; data pages start here, on a page boundary. */
export const CONTROL_BYTES: number = Math.ceil((CONTROL_END * 4) / PAGE_BYTES) * PAGE_BYTES

/** FNV-1a over all that two processes must agree on. */
export const layoutHash: number = fnv1a(
  JSON.stringify([
    'protocol 3',
    HEADER,
    SLOT,
    SLOT_STATE,
    PARKED,
    ENTRY,
    ENTRY_FLAG,
    COPY,
    OBJECT_TYPE,
    AT,
    [MAX_AGENTS, SLOT_WORDS, GRAVES, ENTRY_WORDS, MAX_OBJECTS, UNIT_WORDS, UNITS, PAGE_BYTES],
    CONTROL_BYTES,
  ]),
)

/** First word of a slot. */
export function slotWord(slot: number): number {
  return AT.slots + slot * SLOT_WORDS
}

/** First word of an object's entry. */
export function entryWord(index: number): number {
  return AT.directory + index * ENTRY_WORDS
}

function maxObjects(setting: string | undefined): number {
  const count = setting === undefined ? DEFAULT_MAX_OBJECTS : Number(setting)
  if (Number.isInteger(count) && count >= 1024 && count <= 1 << 20) return count
  throw new RangeError(
    `Expected \`MP_MAX_OBJECTS\` to be an integer from 1,024 to 1,048,576, got \`${setting}\``,
  )
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  }
  return hash | 0
}
