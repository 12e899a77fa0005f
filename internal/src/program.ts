/**
 * A program that a test runs: with a deadline, its output kept, and all its processes found.
 *
 * @module
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { becomes, until } from './deadline.js'
import { killProcess, marked } from './processes.js'

export interface ProgramOptions {
  args?: readonly string[]
  /** Added to the environment of the test. */
  env?: Record<string, string>
  cwd?: string
  /** @default ['ignore', 'pipe', 'pipe'] */
  stdio?: StdioOptions
  /**
   * Whether it gets a process group of its own, as a shell gives to what it starts.
   *
   * @default false
   */
  detached?: boolean
  /**
   * After so long all its processes are killed.
   *
   * @default 20000
   */
  timeoutMs?: number
}

/** How a program ended. */
export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

const MARK = 'MP_TEST_RUN'
/** What a program's processes may need to end after it. */
const GRACE_MS = 1_000

export class Program {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #mark = { name: MARK, value: randomUUID() }
  readonly #closed: Promise<void>
  readonly #timer: NodeJS.Timeout
  #timedOut = false

  /** Starts it. */
  constructor(command: string, options: ProgramOptions = {}) {
    const { args = [], env, stdio = ['ignore', 'pipe', 'pipe'], timeoutMs = 20_000 } = options
    const { detached = false, cwd = process.cwd() } = options
    const environment = { ...process.env, ...env, [MARK]: this.#mark.value }
    this.child = spawn(command, args, { stdio, env: environment, detached, cwd })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.#closed = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', () => resolve())
    })
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      for (const pid of this.processes()) killProcess(pid)
    }, timeoutMs)
  }

  /** The processes of this program that run. */
  processes(): number[] {
    return marked(this.#mark).map(({ pid }) => pid)
  }

  /** Waits for a text on stdout; throws when the program ends without it. */
  async untilOutput(text: string | RegExp): Promise<void> {
    const isThere = (): boolean =>
      typeof text === 'string' ? this.stdout.includes(text) : text.test(this.stdout)
    const isOver = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null
    await until(`it printed ${text}`, () => isThere() || isOver())
    if (!isThere()) throw new Error(`It ended and had not printed ${text}:\n${this.#output()}`)
  }

  /** Waits for its end; throws when its time ran out, or when a process of it outlives it. */
  async end(): Promise<Outcome> {
    await this.#closed
    clearTimeout(this.#timer)
    let left = this.processes()
    await becomes(() => (left = this.processes()).length === 0, GRACE_MS)
    for (const pid of left) killProcess(pid)
    if (this.#timedOut) throw new Error(`It did not end in time:\n${this.#output()}`)
    if (left.length > 0) throw new Error(`It left processes ${left.join()}:\n${this.#output()}`)
    const { exitCode: code, signalCode: signal } = this.child
    return { code, signal, stdout: this.stdout, stderr: this.stderr }
  }

  #output(): string {
    return `${this.stdout}\n${this.stderr}`
  }
}

/** Runs a program to its end. */
export async function runProgram(command: string, options?: ProgramOptions): Promise<Outcome> {
  return new Program(command, options).end()
}
