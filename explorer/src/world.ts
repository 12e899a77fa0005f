/**
 * The world that agents act on: shared memory, sleep, and the kernel's part in death.
 *
 * Words are numbered as they are met, so a state holds some hundred words and not
 * the session's millions. The world also learns which words are shared: a word
 * that nobody has changed since the start, or that only one agent looks at, can
 * be used at once, for nobody can tell when that happened.
 *
 * @module
 */
import { HEADER, MAX_AGENTS, SLOT, SLOT_STATE, slotWord } from '@mp/shared-memory/internal'
import { OP, type Request, type State } from './state.js'

/** Words of counters and sections: no session has so many. */
export const GHOSTS_AT: number = 1 << 29
/** Words and bytes of data pages. */
export const DATA_AT: number = 1 << 30

const SYNC = 1
const ASYNC = 2

export class World {
  readonly #index = new Map<number, number>()
  readonly #words: number[] = []
  /** By dense index, a bit for each agent. */
  readonly #readers: number[] = []
  readonly #writers: number[] = []
  /** Whether a word has turned out to be shared that was taken for private before: what was explored is void. */
  hasLearned = false
  /** Off while the objects are being made and looked at. */
  learning = false

  /** Whether carrying out this request at once cannot be told from carrying it out later. */
  isPrivate(request: Request): boolean {
    return request.op <= OP.compareExchange && !this.#isShared(this.#dense(request.at))
  }

  read(state: State, word: number): number {
    return state.memory[this.#dense(word)] ?? 0
  }

  write(state: State, word: number, value: number): void {
    const index = this.#dense(word)
    if (index >= state.memory.length) {
      const grown = new Int32Array(Math.max(128, 2 * index))
      grown.set(state.memory)
      state.memory = grown
    }
    state.memory[index] = value
  }

  /** Zeroes the words that are known in a range; the others are zero. */
  clear(state: State, from: number, to: number): void {
    for (const word of this.#words) {
      if (word >= from && word < to && this.read(state, word) !== 0) this.write(state, word, 0)
    }
  }

  /** The first word in a range that holds a value which is not 0, or -1. */
  indexOf(state: State, value: number, from: number, to: number): number {
    let first = to
    for (const word of this.#words) {
      if (word >= from && word < first && this.read(state, word) === value) first = word
    }
    return first < to ? first : -1
  }

  /** Carries out a request of an agent; `park` is for the caller. */
  execute(state: State, slot: number, { op, at, a, b }: Request): number {
    switch (op) {
      case OP.wake:
        return this.#wake(state, at, a)
      case OP.claim:
        return this.#claim(state, slot, at)
      case OP.unclaim:
        return this.#unclaim(state, at)
      case OP.listen:
        setAgent(state, slot, { phase: 'look', seen: a, posted: 0 })
        return 0
      default:
        return this.#atomic(state, slot, op, at, a, b)
    }
  }

  /** What the death watch of a living process does: it counts the death and rings everybody. */
  announceDeath(state: State): void {
    state.notices--
    this.write(state, HEADER.deaths, this.read(state, HEADER.deaths) + 1)
    for (let slot = 0; slot < state.agents.length; slot++) {
      if ((this.read(state, slotWord(slot)) & 0xff) === SLOT_STATE.free) continue
      const bell = slotWord(slot) + SLOT.bell
      this.write(state, bell, (this.read(state, bell) + 1) | 0)
      this.#wake(state, bell, SYNC | ASYNC)
    }
  }

  /** One step of an agent's native waiter thread. */
  stepListener(state: State, slot: number): void {
    const agent = state.agents[slot]
    const listener = agent?.listener
    if (agent === undefined || listener === undefined) return
    const parked = slotWord(slot) + SLOT.parked
    switch (listener.phase) {
      case 'look': {
        const bell = this.read(state, slotWord(slot) + SLOT.bell)
        agent.listener =
          bell === listener.seen
            ? { ...listener, phase: 'asleep' }
            : { ...listener, phase: 'check', seen: bell }
        break
      }
      case 'check': {
        const isArmed = (this.read(state, parked) & ASYNC) !== 0
        agent.listener = { ...listener, phase: isArmed ? 'disarm' : 'look' }
        break
      }
      case 'disarm': {
        const old = this.read(state, parked)
        this.write(state, parked, old & ~ASYNC)
        const posted = listener.posted + ((old & ASYNC) === 0 ? 0 : 1)
        agent.listener = { ...listener, phase: 'look', posted }
        break
      }
      case 'asleep':
        break
    }
  }

  /** Names a word for a reader of a trace. */
  describe(word: number, names: ReadonlyMap<number, string>): string {
    for (const [name, at] of Object.entries(HEADER)) if (at === word) return name
    const slot = Math.floor((word - slotWord(0)) / (slotWord(1) - slotWord(0)))
    for (const [name, at] of Object.entries(SLOT)) {
      if (slot >= 0 && slot < MAX_AGENTS && word === slotWord(slot) + at) return `${name}[${slot}]`
    }
    if (word >= DATA_AT) return `data ${word - DATA_AT}`
    for (const [base, name] of names) {
      if (word >= base && word < base + OBJECT_WORDS) return `${name}+${word - base}`
    }
    return `word ${word}`
  }

  #atomic(state: State, slot: number, op: number, at: number, a: number, b: number): number {
    const old = this.read(state, at)
    const value = VALUE[op]?.(old, a, b) ?? old
    const isWrite = op !== OP.load
    if (this.learning) this.#learn(this.#dense(at), slot, isWrite)
    if (isWrite) this.write(state, at, value | 0)
    return op === OP.store ? a : old
  }

  #wake(state: State, bell: number, mask: number): number {
    const slot = (bell - slotWord(0) - SLOT.bell) / (slotWord(1) - slotWord(0))
    const agent = state.agents[slot]
    if (agent === undefined) return 0
    let woken = 0
    if ((mask & SYNC) !== 0 && agent.status === 'sleeping') {
      agent.status = 'ready'
      agent.deadline = Infinity
      woken++
    }
    if ((mask & ASYNC) !== 0 && agent.listener?.phase === 'asleep') {
      agent.listener = { ...agent.listener, phase: 'look' }
      woken++
    }
    return woken
  }

  #claim(state: State, slot: number, at: number): number {
    const agent = state.agents[at]
    if (agent === undefined || agent.status !== 'dead') return 0
    const claimer = state.agents[agent.claimedBy]
    if (claimer !== undefined && claimer.status !== 'dead') return 0
    agent.claimedBy = slot
    return 1
  }

  #unclaim(state: State, at: number): number {
    const agent = state.agents[at]
    if (agent !== undefined) agent.claimedBy = -1
    return 0
  }

  #learn(index: number, slot: number, isWrite: boolean): void {
    const wasShared = this.#isShared(index)
    const bit = 1 << slot
    this.#readers[index] = (this.#readers[index] ?? 0) | bit
    if (isWrite) this.#writers[index] = (this.#writers[index] ?? 0) | bit
    if (!wasShared && this.#isShared(index)) this.hasLearned = true
  }

  #isShared(index: number): boolean {
    const readers = this.#readers[index] ?? 0
    return (this.#writers[index] ?? 0) !== 0 && (readers & (readers - 1)) !== 0
  }

  #dense(word: number): number {
    let index = this.#index.get(word)
    if (index === undefined) {
      index = this.#words.length
      this.#index.set(word, index)
      this.#words.push(word)
      // The world itself looks at these.
      const inSlot = (word - slotWord(0)) % (slotWord(1) - slotWord(0))
      const isWorlds =
        word === HEADER.deaths || (word >= slotWord(0) && word < slotWord(MAX_AGENTS))
      const isUsed =
        (word >= GHOSTS_AT && word < DATA_AT) ||
        (isWorlds && (word === HEADER.deaths || WATCHED.has(inSlot)))
      this.#readers.push(isUsed ? ~0 : 0)
      this.#writers.push(isUsed ? ~0 : 0)
    }
    return index
  }
}

const WATCHED: ReadonlySet<number> = new Set([SLOT.bell, SLOT.parked])
const OBJECT_WORDS = 4096

const VALUE: Record<number, (old: number, a: number, b: number) => number> = {
  [OP.load]: (old) => old,
  [OP.store]: (_old, a) => a,
  [OP.add]: (old, a) => old + a,
  [OP.sub]: (old, a) => old - a,
  [OP.and]: (old, a) => old & a,
  [OP.or]: (old, a) => old | a,
  [OP.exchange]: (_old, a) => a,
  [OP.compareExchange]: (old, a, b) => (old === a ? b : old),
}

function setAgent(state: State, slot: number, listener: State['agents'][0]['listener']): void {
  const agent = state.agents[slot]
  if (agent !== undefined) agent.listener = listener
}
