/**
 * A storm: many agents work on the same objects, and are stopped and ended at random; the director looks on.
 *
 * @module
 */
import { session } from '@mp/shared-memory/internal'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Random } from 'mp-internal'
import { Excuses } from './excuses.js'
import { Ledger } from './ledger.js'
import { ENDS, type End, type Kind, type Member, endMember, startMember } from './members.js'
import { type Objects, makeObjects } from './objects.js'
import { collectRecords, readViolations } from './record.js'
import { Tally } from './tally.js'
import { verify } from './verify.js'
import { Watchdog } from './watchdog.js'

export interface StormOptions {
  readonly seconds: number
  readonly seed: number
  readonly processes: number
  readonly threads: number
  /** Called now and then with a line about how it goes. */
  readonly onProgress?: (line: string) => void
}

export interface StormReport {
  readonly problems: readonly string[]
  readonly seconds: number
  readonly operations: number
  readonly messages: number
  readonly lost: number
  readonly mayBeLost: number
  readonly ends: Readonly<Record<End | 'terminate' | 'stop', number>>
  /** The longest that anybody waited beyond its own limit, not counting what is excused, in milliseconds. */
  readonly longestMs: number
  /** From a SIGKILL to the end of the file at the dead process's pipe, in milliseconds. */
  readonly deathMs: { readonly median: number; readonly most: number }
  /** How long the machine did not let the director run, in milliseconds. */
  readonly lagMs: number
}

/** Between two strikes, in milliseconds. */
const [STRIKE_MIN_MS, STRIKE_MAX_MS] = [5, 50]
/** Fewer than this part of the agents are not struck: they have to be started first. */
const ENOUGH = 0.6
const [STOP_MIN_MS, STOP_MAX_MS] = [20, 250]
/** How long the agents have to end when they are told to. */
const FINISH_MS = 8_000
/** As many agents as a ledger has room for, per second of the storm; and some. */
const AGENTS_PER_SECOND = 40
/** How long a death may stay unheard of, in milliseconds. */
const DEATH_MS = 1_000

export class Storm {
  readonly #options: StormOptions
  readonly #random: Random
  readonly #objects: Objects
  readonly #ledger: Ledger
  readonly #folder: string
  readonly #excuses: Excuses
  readonly #watchdog: Watchdog
  readonly #tally: Tally
  readonly #members = new Map<number, Member>()
  readonly #problems: string[] = []
  readonly #ends = { kill: 0, exit: 0, throw: 0, exhaust: 0, terminate: 0, stop: 0 }
  readonly #deathsMs: number[] = []
  readonly #endings = new Set<Promise<void>>()
  readonly #now: () => number
  #isOver = false

  constructor(options: StormOptions) {
    const { native } = session()
    this.#now = () => native.now()
    this.#options = options
    this.#random = new Random(options.seed)
    this.#objects = makeObjects()
    this.#ledger = Ledger.make(200 + options.seconds * AGENTS_PER_SECOND)
    this.#folder = mkdtempSync(join(tmpdir(), 'mp-storm-'))
    this.#excuses = new Excuses(this.#now)
    this.#watchdog = new Watchdog(this.#ledger, this.#excuses, this.#now)
    this.#tally = new Tally(this.#ledger)
  }

  async run(): Promise<StormReport> {
    const { seconds, processes, threads, onProgress } = this.#options
    const begun = this.#now()
    const end = begun + seconds * 1_000
    for (let n = 0; n < processes; n++) this.#start('process')
    for (let n = 0; n < threads; n++) this.#start('thread')
    const feeding = this.#feed()
    let progressAt = begun
    while (this.#now() < end && this.#problems.length === 0) {
      await sleep(this.#random.integer(STRIKE_MIN_MS, STRIKE_MAX_MS))
      this.#watch()
      this.#strike()
      if (this.#now() < progressAt) continue
      progressAt += 5_000
      onProgress?.(this.#progress(begun))
    }
    await this.#finish()
    this.#isOver = true
    await feeding
    this.#problems.push(
      ...readViolations(this.#folder),
      ...(await verify(this.#objects, this.#tally)),
    )
    const { lost, mayBeLost } = this.#tally.close()
    this.#problems.push(...this.#tally.problems)
    const operations = this.#steps()
    this.#excuses.end()
    this.#ledger.block.close()
    this.#ledger.block.unlink()
    rmSync(this.#folder, { recursive: true })
    return {
      problems: this.#problems,
      seconds: (this.#now() - begun) / 1_000,
      operations,
      messages: this.#tally.arrived,
      lost,
      mayBeLost,
      ends: this.#ends,
      longestMs: this.#watchdog.longestMs,
      deathMs: { median: median(this.#deathsMs), most: Math.max(0, ...this.#deathsMs) },
      lagMs: this.#excuses.lagMs,
    }
  }

  #start(kind: Kind): void {
    const agent = this.#ledger.highest + 1
    const seed = this.#random.integer(0, 0x7fffffff)
    const cast = { ledger: this.#ledger, objects: this.#objects, folder: this.#folder }
    const member = startMember(cast, kind, agent, seed)
    this.#members.set(agent, member)
    const ending = this.#await(member)
    this.#endings.add(ending)
    void ending.then(() => this.#endings.delete(ending))
  }

  /** Waits for an agent's end, and puts another in its place. */
  async #await(member: Member): Promise<void> {
    const { agent, kind } = member
    let lostAt = Infinity
    const lost = member.lost.then(() => (lostAt = this.#now()))
    const code = await member.over
    const overAt = this.#now()
    this.#members.delete(agent)
    await Promise.race([lost, sleep(DEATH_MS * 4, undefined, { ref: false })])
    this.#checkDeath(member, lostAt, overAt)
    this.#tally.add(agent, collectRecords(this.#folder, agent))
    if (!this.#ledger.isDying(agent) && !this.#ledger.isFinished(agent)) {
      this.#problems.push(`agent ${agent} ended by itself with ${code}: ${member.errors}`)
    }
    if (!this.#ledger.isStopping) this.#start(kind)
  }

  #checkDeath({ agent, endedAt, kind }: Member, lostAt: number, overAt: number): void {
    const took = lostAt - overAt - this.#excuses.within(overAt, lostAt)
    if (took > DEATH_MS)
      this.#problems.push(`the end of agent ${agent} was not heard of in time: ${took} ms`)
    if (kind === 'process' && endedAt !== undefined && this.#ledger.order(agent) === 0) {
      this.#deathsMs.push(lostAt - endedAt)
    }
  }

  /** Sets the pulsed event, and lets consumers have something: so that every wait can end. */
  async #feed(): Promise<void> {
    const { pulse, conditions } = this.#objects
    while (!this.#isOver) {
      pulse.set()
      pulse.clear()
      for (const [index, condition] of conditions.entries()) {
        const guard = await condition.acquire({ timeout: FINISH_MS })
        if (guard === null) {
          this.#problems.push(`the director waits in vain for the lock of condition ${index}`)
          continue
        }
        if (this.#ledger.tokens(index) < 3) this.#ledger.addTokens(index, 1)
        condition.notify()
        guard.release()
      }
      await sleep(10)
    }
  }

  #watch(): void {
    for (const { agent, isStopped, process } of this.#members.values()) {
      if (isStopped || this.#ledger.isDying(agent)) continue
      const hang = this.#watchdog.look(agent)
      if (hang === undefined) continue
      this.#problems.push(`${hang}; its process is ${stateOf(process.pid)}\n${this.#scene()}`)
    }
  }

  /** Who is there and does what, for people who ask why somebody hangs. */
  #scene(): string {
    const { lock, busyLock, queues } = this.#objects
    const holders = [lock, busyLock].map(({ core }) => this.#ledger.tagged(core.holder()))
    const sizes = queues.map((queue) => queue.qsize())
    const members = [...this.#members.values()].map(
      ({ agent, kind, endedAt, isStopped, process }) => {
        const end =
          endedAt === undefined ? '' : `, told to end ${Math.round(this.#now() - endedAt)} ms ago`
        const order = this.#ledger.order(agent)
        return `  ${kind} ${agent}${end}${order === 0 ? '' : ` by ${order}`}${isStopped ? ', stopped' : ''}: ${this.#watchdog.describe(agent)}; ${stateOf(process.pid)}`
      },
    )
    return [
      `  locks held by ${holders.join(', ')}; queues hold ${sizes.join(', ')}`,
      ...members,
    ].join('\n')
  }

  /** Stops or ends somebody. */
  #strike(): void {
    const { processes, threads } = this.#options
    const alive = [...this.#members.values()].filter(
      ({ agent, isStopped, endedAt }) =>
        endedAt === undefined && !isStopped && this.#ledger.steps(agent) > 0,
    )
    if (alive.length < (processes + threads) * ENOUGH) return
    const member = this.#random.pick(alive)
    if (member.kind === 'process' && this.#random.chance(0.2)) {
      void this.#stop(member)
      return
    }
    const end = this.#random.chance(0.7) ? 'kill' : this.#random.pick(ENDS)
    // A thread that exhausts its memory takes the process with it.
    const possible = member.kind === 'thread' && end === 'exhaust' ? 'throw' : end
    const cast = { ledger: this.#ledger, objects: this.#objects, folder: this.#folder }
    endMember(cast, member, possible, this.#now())
    this.#ends[possible === 'kill' && member.kind === 'thread' ? 'terminate' : possible]++
  }

  async #stop(member: Member): Promise<void> {
    const { pid } = member.process
    if (pid === undefined) return
    const from = this.#now()
    member.isStopped = true
    process.kill(pid, 'SIGSTOP')
    this.#ends.stop++
    await sleep(this.#random.integer(STOP_MIN_MS, STOP_MAX_MS))
    member.isStopped = false
    if (this.#members.has(member.agent)) process.kill(pid, 'SIGCONT')
    this.#excuses.add(from, this.#now())
  }

  /** Tells all to end, and waits until they have. */
  async #finish(): Promise<void> {
    await sleep(STOP_MAX_MS)
    this.#ledger.stop()
    const deadline = this.#now() + FINISH_MS
    while (this.#endings.size > 0 && this.#now() < deadline) {
      this.#watch()
      await sleep(10)
    }
    for (const member of this.#members.values()) {
      this.#problems.push(`agent ${member.agent} does not end: ${member.errors}`)
      endMember(
        { ledger: this.#ledger, objects: this.#objects, folder: this.#folder },
        member,
        'kill',
        this.#now(),
      )
    }
    await Promise.all(this.#endings)
  }

  #steps(): number {
    let steps = 0
    for (let agent = 1; agent <= this.#ledger.highest; agent++) steps += this.#ledger.steps(agent)
    return steps
  }

  #progress(begun: number): string {
    const seconds = Math.round((this.#now() - begun) / 1_000)
    const ends = Object.entries(this.#ends).map(([end, count]) => `${end} ${count}`)
    return (
      `${seconds} s: ${this.#members.size} agents, ${this.#steps()} steps, ${this.#tally.arrived} messages; ` +
      `${ends.join(', ')}; longest ${Math.round(this.#watchdog.longestMs)} ms`
    )
  }
}

/** What the system says that a process is doing: a state (`R`, `S`, `D`, `T`…) and where in the kernel. */
function stateOf(pid: number | undefined): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const state = stat.charAt(stat.lastIndexOf(')') + 2)
    return `${state} in ${readFileSync(`/proc/${pid}/wchan`, 'utf8')}`
  } catch (error) {
    return `not to be seen (${(error as NodeJS.ErrnoException).code})`
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
