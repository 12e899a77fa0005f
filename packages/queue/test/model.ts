/**
 * What a queue is to do, in a few lines of plain JavaScript, and a game against it.
 *
 * A game makes random calls of one agent: those that never wait, those that time out at once, and promises that stay
 * pending until a later call lets them go on. After each the queue has to be as the model is.
 */
import { type JoinableQueue, type Queue, QueueShutDownError, type QueueTask } from '@mp/queue'
import { type Random, markOf, randomItem } from 'mp-internal'
import { setImmediate as turn } from 'node:timers/promises'

interface Pending {
  /** What the model says that it gives, once it does. */
  expected?: string
  promise: Promise<unknown>
  /** What it gave: a mark, or the code of an error. */
  got?: string
}

export class Game {
  readonly #queue: Queue
  readonly #random: Random
  readonly #maxSize: number
  /** What is queued. */
  readonly #items: string[] = []
  readonly #gets: Pending[] = []
  readonly #puts: { pending: Pending; marks: string[] }[] = []
  readonly #settled: Pending[] = []
  #number = 0
  #isShutDown = false
  /** Each call and what it gave, for whoever reads of a failure. */
  readonly log: string[] = []

  constructor(queue: Queue, maxSize: number, random: Random) {
    this.#queue = queue
    this.#maxSize = maxSize
    this.#random = random
  }

  async play(calls: number): Promise<void> {
    for (let n = 0; n < calls; n++) {
      this.#call()
      await this.#compare()
    }
    // What still waits is let go on.
    while (this.#puts.length > 0 || this.#items.length > 0) {
      this.#tryGet()
      await this.#compare()
    }
    while (this.#gets.length > 0) {
      this.#putNow()
      await this.#compare()
    }
  }

  #call(): void {
    const calls: [number, () => void][] = [
      [5, () => this.#putNow()],
      [3, () => this.#putManyNow()],
      [2, () => this.#putLater()],
      [6, () => this.#tryGet()],
      [3, () => this.#getMany()],
      [2, () => this.#getLater()],
      [0.02, () => this.#shutDown()],
    ]
    let at = this.#random.next() * calls.reduce((sum, [weight]) => sum + weight, 0)
    for (const [weight, call] of calls) if ((at -= weight) < 0) return call()
  }

  #putNow(): void {
    const [item, mark] = this.#item()
    const expected = this.#isShutDown
      ? 'ERR_MP_QUEUE_SHUT_DOWN'
      : this.#hasRoom(1)
        ? 'done'
        : 'ERR_MP_QUEUE_FULL'
    const put = this.#random.chance(0.5)
      ? () => this.#queue.putNowait(item)
      : () => this.#queue.putSync(item, { timeout: 0 })
    this.#expect(`put ${mark}`, outcome(put), expected)
    if (expected === 'done') this.#add([mark])
  }

  #putManyNow(): void {
    const batch = Array.from({ length: this.#random.integer(0, 4) }, () => this.#item())
    const marks = batch.map(([, mark]) => mark)
    const items = batch.map(([item]) => item)
    const isPossible = this.#maxSize === 0 || items.length <= this.#maxSize
    const room = this.#hasRoom(items.length) ? 'done' : 'ERR_MP_QUEUE_FULL'
    const put = (): void => this.#queue.putManySync(items, { block: false })
    const expected = this.#isShutDown ? 'ERR_MP_QUEUE_SHUT_DOWN' : room
    this.#expect(`putMany ${marks.join()}`, outcome(put), isPossible ? expected : 'RangeError')
    if (isPossible && expected === 'done') this.#add(marks)
  }

  #putLater(): void {
    if (this.#isShutDown || this.#puts.length > 3) return
    const [item, mark] = this.#item()
    this.log.push(`put later ${mark}`)
    const pending = this.#pending(this.#queue.put(item).then(() => 'done'))
    pending.expected = 'done'
    if (this.#hasRoom(1)) {
      this.#settled.push(pending)
      this.#add([mark])
    } else {
      this.#puts.push({ pending, marks: [mark] })
    }
  }

  #tryGet(): void {
    const mark = this.#items[0]
    const nothing = this.#isShutDown ? 'ERR_MP_QUEUE_SHUT_DOWN' : 'null'
    const get = (): string => {
      const got = this.#queue.tryGet()
      return got === null ? 'null' : markOf(got.value)
    }
    this.#expect('tryGet', outcome(get), mark ?? nothing)
    if (mark !== undefined) this.#remove(1)
  }

  #getMany(): void {
    const max = this.#random.integer(1, 5)
    const marks = this.#items.slice(0, max)
    const nothing = this.#isShutDown ? 'ERR_MP_QUEUE_SHUT_DOWN' : 'ERR_MP_QUEUE_EMPTY'
    const get = (): string =>
      this.#queue
        .getManySync(max, { timeout: 0 })
        .map((value) => markOf(value))
        .join()
    this.#expect(`getMany ${max}`, outcome(get), marks.join() || nothing)
    // One after the other: each makes room for who waits, and what that puts may come along.
    this.#remove(marks.length)
  }

  #getLater(): void {
    if (this.#gets.length > 3) return
    this.log.push('get later')
    const pending = this.#pending(this.#queue.get().then((value) => markOf(value)))
    const mark = this.#items[0]
    if (mark !== undefined) {
      pending.expected = mark
      this.#settled.push(pending)
      this.#remove(1)
    } else if (this.#isShutDown) {
      pending.expected = 'ERR_MP_QUEUE_SHUT_DOWN'
      this.#settled.push(pending)
    } else {
      this.#gets.push(pending)
    }
  }

  #shutDown(): void {
    if (this.#isShutDown) return
    const immediate = this.#random.chance(0.3)
    this.log.push(`shutdown ${immediate}`)
    this.#queue.shutdown({ immediate })
    this.#isShutDown = true
    if (immediate) this.#items.length = 0
    for (const pending of [
      ...this.#gets.splice(0),
      ...this.#puts.splice(0).map((p) => p.pending),
    ]) {
      pending.expected = 'ERR_MP_QUEUE_SHUT_DOWN'
      this.#settled.push(pending)
    }
  }

  #item(): [unknown, string] {
    const item = randomItem(this.#random, this.#number++)
    return [item, markOf(item)]
  }

  /** What was to be put before goes first. */
  #hasRoom(count: number): boolean {
    if (this.#maxSize === 0) return true
    return this.#puts.length === 0 && this.#items.length + count <= this.#maxSize
  }

  #add(marks: readonly string[]): void {
    this.#items.push(...marks)
    while (this.#gets.length > 0 && this.#items.length > 0) {
      const pending = this.#gets.shift() as Pending
      pending.expected = this.#items[0]
      this.#settled.push(pending)
      this.#remove(1)
    }
  }

  #remove(count: number): void {
    this.#items.splice(0, count)
    while (this.#puts.length > 0) {
      const next = this.#puts[0]
      if (this.#items.length + next.marks.length > this.#maxSize) return
      this.#puts.shift()
      this.#settled.push(next.pending)
      this.#items.push(...next.marks)
    }
  }

  #pending(promise: Promise<string>): Pending {
    const pending: Pending = { promise }
    promise.then(
      (got) => (pending.got = got),
      (error: unknown) => (pending.got = codeOf(error)),
    )
    return pending
  }

  #expect(call: string, got: string, expected: string): void {
    this.log.push(`${call}: ${got}`)
    if (got !== expected) throw new Error(`${call} gave ${got} in place of ${expected}`)
  }

  async #compare(): Promise<void> {
    await turn()
    for (const pending of this.#settled.splice(0)) {
      this.#expect('what was pending', pending.got ?? 'nothing', pending.expected ?? 'nothing')
    }
    for (const { got } of [...this.#gets, ...this.#puts.map(({ pending }) => pending)]) {
      this.#expect('what is pending', got ?? 'nothing', 'nothing')
    }
    const size = this.#items.length
    this.#expect('qsize', `${this.#queue.qsize()}`, `${size}`)
    this.#expect('empty', `${this.#queue.empty()}`, `${size === 0}`)
    this.#expect('full', `${this.#queue.full()}`, `${this.#maxSize > 0 && size >= this.#maxSize}`)
  }
}

/** What a call gives, or the code of what it throws. */
function outcome(call: () => string | void): string {
  try {
    return call() ?? 'done'
  } catch (error) {
    return codeOf(error)
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? (error as Error).name
}

interface Entry {
  readonly mark: string
  readonly number: number
  deliveries: number
}

/** A game against an acknowledged queue: tasks are taken, done and given back in any order. */
export class TaskGame {
  readonly #queue: JoinableQueue
  readonly #random: Random
  readonly #items: Entry[] = []
  /** What was given back, the oldest first. */
  readonly #returned: Entry[] = []
  readonly #tasks: { entry: Entry; task: QueueTask<unknown> }[] = []
  /** What was taken by `get`. */
  readonly #unnamed: Entry[] = []
  #number = 0
  readonly log: string[] = []

  constructor(queue: JoinableQueue, random: Random) {
    this.#queue = queue
    this.#random = random
  }

  play(calls: number): void {
    for (let n = 0; n < calls; n++) {
      // Sometimes few are in hands, sometimes many.
      const isGreedy = Math.floor(n / 200) % 2 === 0
      const at = this.#random.next()
      if (at < 0.3) this.#put()
      else if (at < 0.6) this.#take()
      else if (at < 0.68) this.#get()
      else if (at < (isGreedy ? 0.72 : 0.9)) this.#done()
      else if (at < 0.96) this.#giveBack()
      else this.#taskDone()
      this.#compare()
    }
    while (this.#tasks.length > 0) this.#done()
    while (this.#unnamed.length > 0) this.#taskDone()
    while (this.#items.length + this.#returned.length > 0) {
      this.#take()
      this.#done()
      this.#compare()
    }
    if (!this.#queue.joinSync({ timeout: 0 })) throw new Error('not all is done in the end')
  }

  /** Shuts down: what is queued and given back is to be had, then it is over, but for what is given back later. */
  end(): void {
    this.#queue.shutdown()
    let error: unknown
    try {
      this.#queue.tryGetTask()
    } catch (thrown) {
      error = thrown
    }
    if (!(error instanceof QueueShutDownError)) throw new Error('no end')
  }

  #put(): void {
    const batch = Array.from({ length: this.#random.integer(1, 3) }, () => {
      const item = randomItem(this.#random, this.#number)
      return { item, entry: { mark: markOf(item), number: this.#number++, deliveries: 0 } }
    })
    this.#queue.putManySync(batch.map(({ item }) => item))
    this.#items.push(...batch.map(({ entry }) => entry))
  }

  #take(): void {
    const task = this.#queue.tryGetTask()
    const entry = this.#returned.shift() ?? this.#items.shift()
    const got = task === null ? 'none' : `${markOf(task.value)} ${task.redelivered}`
    this.#expect('task', got, entry === undefined ? 'none' : `${entry.mark} ${entry.deliveries}`)
    if (entry === undefined || task === null) return
    entry.deliveries++
    this.#tasks.push({ entry, task })
  }

  #get(): void {
    const got = this.#queue.tryGet()
    const entry = this.#returned.shift() ?? this.#items.shift()
    this.#expect('get', got === null ? 'none' : markOf(got.value), entry?.mark ?? 'none')
    if (entry === undefined) return
    entry.deliveries++
    this.#unnamed.push(entry)
  }

  #done(): void {
    const [one] = this.#tasks.splice(this.#random.integer(0, this.#tasks.length - 1), 1)
    one?.task.done()
  }

  #taskDone(): void {
    const n = this.#random.integer(1, 3)
    const expected = n <= this.#unnamed.length ? 'done' : 'ERR_MP_TASK_DONE'
    this.#expect(
      `taskDone ${n}`,
      outcome(() => this.#queue.taskDone(n)),
      expected,
    )
    if (expected === 'done') this.#unnamed.splice(0, n)
  }

  #giveBack(): void {
    const [one] = this.#tasks.splice(this.#random.integer(0, this.#tasks.length - 1), 1)
    if (one === undefined) return
    one.task.giveBack()
    this.#returned.push(one.entry)
    this.#returned.sort((a, b) => a.number - b.number)
  }

  #compare(): void {
    const available = this.#items.length + this.#returned.length
    this.#expect('qsize', `${this.#queue.qsize()}`, `${available}`)
    const isDone = available + this.#tasks.length + this.#unnamed.length === 0
    this.#expect('join', `${this.#queue.joinSync({ timeout: 0 })}`, `${isDone}`)
  }

  #expect(call: string, got: string, expected: string): void {
    this.log.push(`${call}: ${got}`)
    if (got !== expected) throw new Error(`${call} gave ${got} in place of ${expected}`)
  }
}
