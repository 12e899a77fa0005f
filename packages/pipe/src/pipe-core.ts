/**
 * A pipe in shared memory: two rings, and who holds which end.
 *
 * An end is held by the agents whose bit is set and by copies in flight. A copy in
 * flight is signed by its sender, so that an end is never taken for closed while
 * it travels, and is let go if it never arrives. There is no count to go wrong.
 *
 * @module
 */
import {
  type Attachment,
  ENTRY,
  type Ends,
  type Message,
  MessageRing,
  MultiprocessingError,
  OBJECT_TYPE,
  type Origin,
  PENDING,
  RING,
  RING_SETS,
  RING_WORDS,
  SharedObject,
  type Taken,
  type Target,
  WAIT_SET_WORDS,
  type Waitable,
  entryWord,
  throughEnd,
  throughIndex,
} from '@mp/shared-memory/internal'
import { ORIGIN } from './origin.js'
import { BrokenPipeError, EOFError } from './errors.js'
import { type End, findSupport, isHeldByAgent, markOf, supportOf } from './in-flight.js'
import { MAX_IN_FLIGHT, PIPE, PIPE_SETS, PIPE_WORDS } from './layout.js'

export type { End } from './in-flight.js'

/** A copy of an end on its way: its place in shared memory, and which use of that place it is. */
export interface InFlight {
  readonly place: number
  readonly use: number
  /** What stands in its place since it travels. */
  mark?: number
}

/** Nobody tells when what a copy travels through ends: so often it is looked for. */
const RECHECK_MS = 100

/** How many bytes may be under way in one direction before a sender waits. */
const CAPACITY_BYTES = 16 * 1024 * 1024

export class PipeCore extends SharedObject {
  readonly #rings: readonly [MessageRing, MessageRing]
  /** A bit for each end that this agent holds. */
  #ends = 0
  /** Whether an end was last seen to be held by nobody but a copy that travels. */
  #isTravelling = false
  /** How often this agent has used each place of the copies in flight: tells its own copies apart. */
  readonly #uses: number[] = Array.from({ length: 2 * MAX_IN_FLIGHT }, () => 0)

  constructor(attachment?: Attachment) {
    super(
      attachment,
      { type: OBJECT_TYPE.pipe, words: PIPE_WORDS, sets: PIPE.sets, setCount: PIPE_SETS },
      (words, base) => {
        for (const ring of [0, RING_WORDS])
          Atomics.store(words, base + ring + RING.maxBytes, CAPACITY_BYTES)
      },
    )
    const { base, index } = this.handle
    const ring = (n: number): MessageRing =>
      new MessageRing(
        this.session,
        base + PIPE.rings + n * RING_WORDS,
        base + PIPE.sets + n * RING_SETS * WAIT_SET_WORDS,
        index,
      )
    this.#rings = [ring(0), ring(1)]
  }

  /** The ring that an end sends into. */
  outgoing(end: End): MessageRing {
    return this.use(this.#rings)[end]
  }

  /** The ring that an end receives from. */
  incoming(end: End): MessageRing {
    return this.use(this.#rings)[other(end)]
  }

  /** This agent holds the end from now on. */
  hold(end: End): void {
    const { words, agent } = this.session
    this.#ends |= 1 << end
    Atomics.or(words, this.#holders(end) + (agent.slot >>> 5), 1 << (agent.slot & 31))
  }

  /** This agent holds the end no longer; the last holder ends what the other side waits for. Without ends, it lets go of the pipe. */
  letGo(end: End): void {
    const { words, agent } = this.session
    // CRASH: dying before or after: the reaper clears the bit and everybody is rung.
    Atomics.and(words, this.#holders(end) + (agent.slot >>> 5), ~(1 << (agent.slot & 31)))
    this.#wakeOther(end)
    this.#ends &= ~(1 << end)
    if (this.#ends === 0) this.close()
  }

  /** Notes that a copy of the end is on its way to another agent. */
  depart(end: End): InFlight {
    const { words, agent } = this.session
    const first = this.#inFlight(end)
    for (let place = 0; place < MAX_IN_FLIGHT; place++) {
      const tag = Atomics.load(words, first + place)
      if (supportOf(agent, this.handle.base, end * MAX_IN_FLIGHT + place) !== 'none') continue
      if (Atomics.compareExchange(words, first + place, tag, agent.tag) !== tag) continue
      const use = this.#uses[end * MAX_IN_FLIGHT + place] + 1
      this.#uses[end * MAX_IN_FLIGHT + place] = use
      return { place, use }
    }
    throw new MultiprocessingError(
      'ERR_MP_TOO_MANY_IN_FLIGHT',
      `More than ${MAX_IN_FLIGHT} copies of one end of a pipe are on their way and have not arrived`,
    )
  }

  /**
   * The copy is about to travel through an object, in a message: from now on it does not depend on its sender.
   *
   * @returns the word that is to get the message's number.
   */
  give(end: End, copy: InFlight, through: number): number {
    const { words, agent } = this.session
    const place = end * MAX_IN_FLIGHT + copy.place
    const index = throughIndex(through)
    const mark = markOf(index, throughEnd(through))
    const generation = Atomics.load(words, entryWord(index) + ENTRY.generation)
    const { base } = this.handle
    // SYNC: before the mark; who looks reads it after that. CRASH: dying in between: it counts as not sent, which is so.
    Atomics.store(words, base + PIPE.through + place, generation)
    Atomics.store(words, base + PIPE.stamps + place, 0)
    const old = Atomics.compareExchange(words, base + PIPE.inFlight + place, agent.tag, mark)
    // CRASH: dying before the message is in the object keeps the end held until that ends.
    if (old === agent.tag) copy.mark = mark
    return base + PIPE.stamps + place
  }

  /** The copy has arrived: the end is this agent's, before it is nobody's. */
  arrive(end: End, place: number): void {
    this.hold(end)
    // A message that may be decoded several times names no copy.
    if (place >= 0) Atomics.store(this.session.words, this.#inFlight(end) + place, 0)
  }

  /** The copy will never arrive. Only its sender may say so. */
  drop(end: End, { place, use, mark = 0 }: InFlight): void {
    const { words, agent, lifetime } = this.session
    // The copy may have arrived long ago, and its place be used by a later one.
    if (this.#uses[end * MAX_IN_FLIGHT + place] !== use) return
    // This thread may have let go of the pipe since, and its words be another's.
    const { index, generation, base } = this.handle
    if (!lifetime.hold(index, generation)) return
    const word = base + PIPE.inFlight + end * MAX_IN_FLIGHT + place
    const own = mark === 0 ? agent.tag : mark
    if (Atomics.compareExchange(words, word, own, 0) === own) this.#wakeOther(end)
    lifetime.forget(index)
  }

  /** Whether anybody holds the end, or may come to. */
  isHeld(end: End): boolean {
    // SYNC: a copy that arrives sets its bit, then clears its mark. Whoever sees neither the bit nor, later, the
    // mark may have looked in between; then the second look sees the bit.
    return this.#isHeldByAgent(end) || this.#isInFlight(end) || this.#isHeldByAgent(end)
  }

  /** Makes this agent look again at all that it awaits at an end. */
  wakeOwn(end: End): void {
    const { slot } = this.session.agent
    this.incoming(end).notEmpty.wake(slot)
    this.outgoing(end).notFull.wake(slot)
  }

  /** A wait for the next message to an end. */
  receiving(end: End): Waitable<Taken> {
    const ring = this.incoming(end)
    const claiming = ring.claiming()
    return {
      ...claiming,
      attempt: () => {
        const message = claiming.attempt()
        if (message !== PENDING || this.isHeld(other(end))) return message
        // What the last holder sent before it let go is there by now.
        const last = ring.tryClaim()
        if (last === null) throw new EOFError()
        return last
      },
      recheckMs: this.#recheckMs,
    }
  }

  /** A wait until an end can receive, be it the end of file. */
  polling(end: End): Waitable<true> {
    const polling = this.incoming(end).polling()
    return {
      ...polling,
      attempt: () => (this.isHeld(other(end)) ? polling.attempt() : true),
      recheckMs: this.#recheckMs,
    }
  }

  /** What messages from an end go into. */
  target(end: End): Target {
    return {
      tryPutOne: (bytes, length, copyTo, ends) => {
        if (!this.isHeld(other(end))) throw new BrokenPipeError()
        return this.outgoing(end).tryPutOne(bytes, length, copyTo, ends)
      },
    }
  }

  /** A wait until a message could be sent from an end. */
  sending(end: End, message: Message, ends?: Ends): Waitable<true> {
    const putting = this.outgoing(end).putting([message], ends)
    return {
      ...putting,
      attempt: () => {
        if (!this.isHeld(other(end))) throw new BrokenPipeError()
        return putting.attempt()
      },
      recheckMs: () => Math.min(putting.recheckMs?.() ?? Infinity, this.#recheckMs()),
    }
  }

  readonly #recheckMs = (): number => (this.#isTravelling ? RECHECK_MS : Infinity)

  #isHeldByAgent(end: End): boolean {
    this.#isTravelling = false
    return isHeldByAgent(this.session.agent, this.handle.base, end)
  }

  #isInFlight(end: End): boolean {
    const support = findSupport(this.session.agent, this.handle.base, end)
    this.#isTravelling = support === 'object'
    return support !== 'none'
  }

  #wakeOther(end: End): void {
    // Who waits for an end that only a message holds has to look now and then.
    if (this.isHeld(end) && !this.#isTravelling) return
    this.#rings[end].notEmpty.wakeAll()
    this.#rings[other(end)].notFull.wakeAll()
  }

  #holders(end: End): number {
    return this.handle.base + PIPE.holders + end * WAIT_SET_WORDS
  }

  #inFlight(end: End): number {
    return this.handle.base + PIPE.inFlight + end * MAX_IN_FLIGHT
  }

  /** @internal */
  protected origin(): Origin {
    return { module: ORIGIN, name: 'PipeCore' }
  }
}

/** The opposite end. */
function other(end: End): End {
  return end === 0 ? 1 : 0
}
