/**
 * Runs cases of "kill at the k-th atomic": for each k a new victim, while the survivors live on.
 *
 * @module
 */
import { dumps } from '@mp/pickle'
import { SharedArray } from '@mp/shared-memory'
import { session } from '@mp/shared-memory/internal'
import { setTimeout as sleep } from 'node:timers/promises'
import { Helper, Victim } from './agents.js'
import { BOARD, BOARD_LENGTH } from './board.js'
import type { KillCase } from './case.js'
import { OneRound } from './round.js'
import type { Counted } from './trap.js'

export interface BenchOptions {
  /** Which atomics count; see `trap.ts`. */
  readonly counted: Counted
  /** How many victims are started ahead. */
  readonly ahead: number
}

/** What a case has shown. */
export interface CaseResult {
  readonly name: string
  readonly kills: number
  /** The most atomics that the operation took. */
  readonly atomics: number
  /** The longest that anybody needed to go on, in milliseconds. */
  readonly slowestMs: number
}

/** No operation takes more atomics than this; one that does never ends. */
const MOST = 2_000

export class Bench {
  readonly #options: BenchOptions
  readonly #helpers: readonly Helper[]
  readonly #victims: Victim[] = []
  readonly #board = new SharedArray(Float64Array, BOARD_LENGTH)

  private constructor(options: BenchOptions, helpers: readonly Helper[]) {
    this.#options = options
    this.#helpers = helpers
  }

  static async start(options: BenchOptions): Promise<Bench> {
    // What hears of deaths is made once, and stays.
    const { deathWatch } = session()
    const watch = deathWatch.watch(process.pid)
    if (watch !== null) deathWatch.unwatch(watch)
    const helpers = [await Helper.start('process'), await Helper.start('thread')]
    return new Bench(options, helpers)
  }

  /**
   * Kills a victim before every atomic of the case's operation, and after the last.
   *
   * Others may make it longer or shorter from one time to the next, so there is no count to rely on: it is over
   * when two in a row have outlived their operation.
   *
   * @param choose which atomics to kill at.
   * @param isLate whether to stop before the end.
   */
  async run(
    one: KillCase,
    choose: (k: number) => boolean = () => true,
    isLate: () => boolean = () => false,
  ): Promise<CaseResult> {
    const result = { name: one.name, kills: 0, atomics: 0, slowestMs: 0 }
    let outlived = 0
    for (let k = 1; outlived < 2 && !isLate(); k++) {
      if (k > MOST) throw new Error(`${one.name}: more than ${MOST} atomics`)
      if (!choose(k)) continue
      const { ended, count, slowestMs } = await this.kill(one, k)
      result.kills++
      result.atomics = Math.max(result.atomics, count)
      result.slowestMs = Math.max(result.slowestMs, slowestMs)
      outlived = ended ? outlived + 1 : 0
    }
    return result
  }

  /** Kills one victim, before atomic `k`. */
  async kill(
    one: KillCase,
    k: number,
  ): Promise<{ ended: boolean; count: number; slowestMs: number }> {
    const board = this.#board
    board.array.fill(0)
    const objects: unknown = one.make()
    if (one.afterCorpse === true) {
      const corpse = this.#takeVictim()
      await this.#prepare(corpse, one, 0, objects, false)
      corpse.go()
      await corpse.exit
    }
    const victim = this.#takeVictim()
    const tag = await this.#prepare(victim, one, k, objects, true)
    const round = new OneRound(one, k, objects, this.#helpers, victim, tag, board)
    try {
      await one.play(round)
    } catch (error) {
      await victim.kill()
      await round.idle()
      throw new Error(
        `${one.name}, killed at ${k} of ${this.#options.counted}: ${(error as Error).message}`,
        {
          cause: error,
        },
      )
    }
    return {
      ended: round.ended,
      count: board.array[BOARD.count],
      slowestMs: round.slowestMs,
    }
  }

  /** Ends those that were started ahead. */
  async drain(): Promise<void> {
    await Promise.all(this.#victims.splice(0).map((victim) => victim.kill()))
  }

  /** Ends everybody. */
  async end(): Promise<void> {
    await this.drain()
    await Promise.all(this.#helpers.map((helper) => helper.end()))
    session().reaper.reapAll()
    // Their descriptors are closed a moment after they are heard of.
    await sleep(1)
  }

  #takeVictim(): Victim {
    while (this.#victims.length <= this.#options.ahead) this.#victims.push(new Victim())
    return this.#victims.shift() as Victim
  }

  #prepare(
    victim: Victim,
    one: KillCase,
    k: number,
    objects: unknown,
    isWatched: boolean,
  ): Promise<number> {
    const task = {
      case: one.name,
      k,
      counted: this.#options.counted,
      parentTag: session().agent.tag,
      objects: dumps(objects),
      board: dumps(this.#board),
    }
    return victim.prepare(task, isWatched)
  }
}
