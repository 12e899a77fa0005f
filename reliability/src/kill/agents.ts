/**
 * Starts the victims and the survivors of a bench, and speaks with them.
 *
 * @module
 */
import { session } from '@mp/shared-memory/internal'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Form, Reply, Survivor } from './case.js'
import type { Order } from './survivor-program.js'
import type { Task } from './victim-program.js'

const VICTIM = fileURLToPath(new URL('./victim-program.js', import.meta.url))
const SURVIVOR = fileURLToPath(new URL('./survivor-program.js', import.meta.url))

/** How long starting and preparing may take, in milliseconds. */
const START_MS = 20_000

function startProcess(program: string): ChildProcess {
  return spawn(process.execPath, [program], {
    stdio: ['ignore', 'inherit', 'inherit', session().native.fd(), 'ipc'],
    serialization: 'advanced',
  })
}

/** The next message of a process; throws when it ends or takes too long. */
async function hear(child: ChildProcess, what: string): Promise<any> {
  const stop = new AbortController()
  const { signal } = stop
  const timer = setTimeout(() => stop.abort(new Error(`waited too long until ${what}`)), START_MS)
  try {
    const end = once(child, 'exit', { signal }).then(() => {
      throw new Error(`it ended before ${what}`)
    })
    const [message] = (await Promise.race([once(child, 'message', { signal }), end])) as [unknown]
    return message
  } finally {
    clearTimeout(timer)
    stop.abort()
  }
}

/** A process that is about to die; it knows of no session before it has its task. */
export class Victim {
  readonly #child: ChildProcess
  readonly #ready: Promise<unknown>
  /** When its end was heard of, by the session's clock. */
  readonly exit: Promise<number>
  isOver = false

  constructor() {
    this.#child = startProcess(VICTIM)
    this.#ready = hear(this.#child, 'it was ready')
    this.#ready.catch(() => {})
    this.exit = once(this.#child, 'exit').then(() => {
      this.isOver = true
      return session().native.now()
    })
  }

  /**
   * Gives it its task, and waits until all is prepared.
   *
   * @param isWatched whether everybody is to be told of its death.
   * @returns its tag in the session, or 0 when it has not joined yet.
   */
  async prepare(task: Task, isWatched: boolean): Promise<number> {
    await this.#ready
    const prepared = hear(this.#child, 'it was prepared')
    this.#child.send(task)
    const { tag = 0 } = (await prepared) as { tag?: number }
    if (isWatched) session().deathWatch.watch(this.#child.pid ?? 0)
    return tag
  }

  /** Lets it operate, and die. */
  go(): void {
    this.#child.send('go')
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.exit
  }
}

interface Answer {
  id: number
  value?: unknown
  failed?: string
  begun: number
  over: number
}

/** A process or thread that does what it is told, as long as the bench stands. */
export class Helper {
  readonly tag: number
  readonly name: string
  readonly #agent: ChildProcess | Worker
  readonly #pending = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>()
  #count = 0

  private constructor(name: string, agent: ChildProcess | Worker, tag: number) {
    this.name = name
    this.#agent = agent
    this.tag = tag
    agent.on('message', (answer: Answer) => this.#settle(answer))
    agent.on('exit', () => {
      for (const { reject } of this.#pending.values()) reject(new Error(`${name} has ended`))
    })
  }

  static async start(kind: 'process' | 'thread'): Promise<Helper> {
    const parentTag = session().agent.tag
    if (kind === 'thread') {
      const worker = new Worker(SURVIVOR, { workerData: { parentTag } })
      const [{ joined }] = (await once(worker, 'message')) as [{ joined: number }]
      return new Helper('the thread', worker, joined)
    }
    const child = startProcess(SURVIVOR)
    await hear(child, 'it was ready')
    const answer = hear(child, 'it had joined')
    child.send({ parentTag })
    const { joined } = (await answer) as { joined: number }
    return new Helper('the process', child, joined)
  }

  as(form: Form): Survivor {
    return { name: `${this.name} (${form})`, form, tag: this.tag }
  }

  order(order: Omit<Order, 'id'>): Promise<Reply> {
    const id = ++this.#count
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      const message = { ...order, id }
      if (this.#agent instanceof Worker) this.#agent.postMessage(message)
      else this.#agent.send(message)
    })
  }

  async end(): Promise<void> {
    const exit = once(this.#agent, 'exit')
    if (this.#agent instanceof Worker) await this.#agent.terminate()
    else this.#agent.kill('SIGKILL')
    await exit
  }

  #settle({ id, value, failed, begun, over }: Answer): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (failed === undefined) pending?.resolve({ value, begun, over })
    else pending?.reject(new Error(`${this.name}: ${failed}`))
  }
}
