/**
 * One round of a case: one victim, one k. See `case.ts` for what it offers.
 *
 * @module
 */
import { dumps } from '@mp/pickle'
import type { SharedArray } from '@mp/shared-memory'
import {
  AGENT_SET_WORDS,
  AT,
  ENTRY,
  ENTRY_WORDS,
  SLOT,
  type SharedObject,
  session,
  slotWord,
  tagSlot,
} from '@mp/shared-memory/internal'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Helper, Victim } from './agents.js'
import { BOARD } from './board.js'
import {
  type KillCase,
  type Reply,
  type Round,
  type Running,
  type Survivor,
  assert,
} from './case.js'

/** What the promise is: a second after a death the rest goes on. */
const GOES_ON_MS = 1_000
/** After so long something hangs. */
const HANGS_MS = 8_000

export class OneRound<O> implements Round<O> {
  readonly objects: O
  readonly k: number
  readonly others: readonly [Survivor, Survivor]
  ended = false
  /** The longest that anybody needed to go on. */
  slowestMs = 0
  readonly #case: KillCase<O>
  readonly #helpers: readonly Helper[]
  readonly #victim: Victim
  readonly #victimTag: number
  readonly #board: SharedArray<Float64Array>
  readonly #begun: Running[] = []
  /** When those who wait could go on. */
  #since = 0

  constructor(
    one: KillCase<O>,
    k: number,
    objects: O,
    helpers: readonly Helper[],
    victim: Victim,
    victimTag: number,
    board: SharedArray<Float64Array>,
  ) {
    const [process, thread] = helpers as [Helper, Helper]
    this.objects = objects
    this.k = k
    // In turn each of them sleeps.
    this.others =
      k % 4 < 2
        ? [process.as('sync'), thread.as('async')]
        : [process.as('async'), thread.as('sync')]
    this.#case = one
    this.#helpers = helpers
    this.#victim = victim
    this.#victimTag = victimTag
    this.#board = board
  }

  get isDead(): boolean {
    return this.#victim.isOver
  }

  begin(who: Survivor, act: string): Running {
    const helper = this.#helpers.find(({ tag }) => tag === who.tag) as Helper
    const { name } = this.#case
    const order = { case: name, act, form: who.form, objects: dumps(this.objects) }
    return this.#note({ who, reply: helper.order(order) })
  }

  here(act: string): Running {
    const { agent } = session()
    const who: Survivor = { name: 'this process (async)', form: 'async', tag: agent.tag }
    return this.#note({ who, reply: this.#actHere(act) })
  }

  async waits({ who, reply }: Running, object: SharedObject): Promise<void> {
    let isOver = false
    const over = (): boolean => (isOver = true)
    reply.then(over, over)
    await this.#until(`${who.name} waits`, () => isOver || standsInLine(object, who.tag))
  }

  go(): void {
    this.#victim.go()
  }

  async victimWaitsOrDies(): Promise<void> {
    const parked = slotWord(tagSlot(this.#victimTag)) + SLOT.parked
    const { words } = session()
    await this.#until(
      'the victim waits or dies',
      () => this.#victim.isOver || Atomics.load(words, parked) !== 0,
    )
  }

  async death(): Promise<void> {
    await this.#until('the victim is dead', () => this.#victim.isOver)
    const told = this.#board.array[BOARD.death]
    this.#since = Math.max(this.#since, told === 0 ? await this.#victim.exit : told)
    this.ended = this.#board.array[BOARD.ended] === 1
  }

  freed(): void {
    this.#since = Math.max(this.#since, session().native.now())
  }

  async settled({ who, reply }: Running): Promise<unknown> {
    const hangs = sleep(HANGS_MS, undefined, { ref: false }).then(() => undefined)
    const answer = await Promise.race([reply, hangs])
    assert(answer !== undefined, `${who.name} hangs`)
    const took = answer.over - Math.max(this.#since, answer.begun)
    this.slowestMs = Math.max(this.slowestMs, took)
    assert(took < GOES_ON_MS, `${who.name} went on after ${Math.round(took)} ms`)
    return answer.value
  }

  async isSettled({ reply }: Running, withinMs: number): Promise<boolean> {
    const settled = reply.then(
      () => true,
      () => true,
    )
    const late = sleep(withinMs, false, { ref: false })
    return Promise.race([settled, late])
  }

  async pass(milliseconds: number): Promise<void> {
    await sleep(milliseconds)
  }

  /** Waits until nobody is busy with this round. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#begun.map(({ reply }) => reply))
  }

  async #actHere(act: string): Promise<Reply> {
    const { native } = session()
    const begun = native.now()
    const value: unknown = await this.#case.acts[act]?.(this.objects, 'async')
    return { value, begun, over: native.now() }
  }

  #note(running: Running): Running {
    // Whoever looks sees it fail; a round that fails before does not look.
    running.reply.catch(() => {})
    this.#begun.push(running)
    return running
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const { native } = session()
    const end = native.now() + HANGS_MS
    while (!isSo()) {
      assert(native.now() < end, `waited in vain until ${what}`)
      await sleep(1)
    }
  }
}

/** Whether an agent's bit is in one of the wait sets of an object. */
function standsInLine(object: SharedObject, tag: number): boolean {
  const { words } = session()
  const slot = tagSlot(tag)
  const entry = AT.directory + object.handle.index * ENTRY_WORDS
  const packed = Atomics.load(words, entry + ENTRY.sets)
  const sets = object.handle.base + (packed & 0xffff)
  const count = packed >>> 16
  for (let n = 0; n < count; n++) {
    const bits = Atomics.load(words, sets + n * AGENT_SET_WORDS + (slot >>> 5))
    if ((bits & (1 << (slot & 31))) !== 0) return true
  }
  return false
}
