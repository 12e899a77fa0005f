/**
 * A subclass of `Process` with state of its own, as a daemon: it ends with the main program.
 *
 *     npx tsx subclass.ts
 *
 * The fields travel to the child. It has its own copy of them: what it counts there is not seen here.
 */
import { Process } from '@mp/multiprocessing'
import { setTimeout as sleep } from 'node:timers/promises'

const second = 1000 * Number(process.env.MP_EXAMPLE_SCALE ?? 1)

class Clock extends Process {
  readonly interval: number
  ticks = 0

  constructor(interval: number) {
    super({ name: 'clock', daemon: true })
    this.interval = interval
  }

  override async run(): Promise<void> {
    console.log(`${this.name}: pid ${process.pid}, ticks every ${this.interval} s, for ever`)
    for (;;) {
      await sleep(this.interval * second)
      this.ticks++
      console.log(`${this.name}: tick ${this.ticks}`)
    }
  }
}

const clock = new Clock(1)
clock.start()
console.log(`main: pid ${process.pid}, has started ${clock.name}, pid ${clock.pid}`)

await sleep(4.5 * second)
console.log(`main: goes, and its daemon with it; here it has ${clock.ticks} ticks`)
