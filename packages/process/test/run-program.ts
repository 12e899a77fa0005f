/**
 * Runs a fixture with this Node as a program of its own, and sees to it that nothing of it is left.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Outcome {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface ProgramOptions {
  args?: readonly string[]
  nodeArgs?: readonly string[]
  env?: Record<string, string>
  /** A command that runs the rest of its arguments, such as `sh -c 'ulimit -n 40; exec "$@"' sh`. */
  under?: readonly string[]
  timeoutMs?: number
  stdio?: StdioOptions
  detached?: boolean
  /** Whether `report` allows it to write to stderr. */
  noisy?: boolean
}

const MARK = 'MP_TEST_RUN'

export class Program {
  readonly child: ChildProcess
  readonly mark: string = randomUUID()
  stdout = ''
  stderr = ''
  readonly #closed: Promise<void>
  readonly #timer: NodeJS.Timeout
  #timedOut = false

  /** @param fixture the name of one of this package, or the URL of another. */
  constructor(fixture: string | URL, options: ProgramOptions = {}) {
    const { under = [], nodeArgs = [], args = [], env, timeoutMs = 20_000 } = options
    const url = fixture instanceof URL ? fixture : new URL(`fixtures/${fixture}`, import.meta.url)
    const file = fileURLToPath(url)
    const [command = '', ...rest] = [...under, process.execPath, ...nodeArgs, file, ...args]
    this.child = spawn(command, rest, {
      stdio: options.stdio ?? ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, [MARK]: this.mark },
      detached: options.detached ?? false,
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.#closed = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', () => resolve())
    })
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      for (const pid of this.processes()) process.kill(pid, 'SIGKILL')
    }, timeoutMs)
  }

  /** Waits for text on stdout. */
  async untilOutput(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new Error(`it ended without ${JSON.stringify(text)}: ${this.stdout}\n${this.stderr}`)
      }
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Waits for the end; throws when time ran out, or when a process of it is still there a second later. */
  async end(): Promise<Outcome> {
    await this.#closed
    clearTimeout(this.#timer)
    const left = await this.survivors(1_000)
    for (const pid of left) process.kill(pid, 'SIGKILL')
    const { stdout, stderr } = this
    if (this.#timedOut) throw new Error(`it did not end in time: ${stdout}\n${stderr}`)
    if (left.length > 0) throw new Error(`processes are left: ${left.join()}: ${stdout}\n${stderr}`)
    return { code: this.child.exitCode, signal: this.child.signalCode, stdout, stderr }
  }

  /** The processes of this program that are still there after a while. */
  async survivors(graceMs: number): Promise<number[]> {
    const deadline = performance.now() + graceMs
    for (;;) {
      const left = this.processes()
      if (left.length === 0 || performance.now() > deadline) return left
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** The processes of this program that run: those that have its mark in their environment. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && environmentOf(name).includes(`${MARK}=${this.mark}`))
      .map(Number)
  }
}

/** Empty for a process that is gone, a zombie, or somebody else's. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return ''
  }
}

export async function runProgram(
  fixture: string | URL,
  options?: ProgramOptions,
): Promise<Outcome> {
  return new Program(fixture, options).end()
}

/** Runs a fixture that must end well and say nothing on stderr, and gives what it printed as its last line of JSON. */
export async function report(fixture: string | URL, options?: ProgramOptions): Promise<unknown> {
  const { code, signal, stdout, stderr } = await runProgram(fixture, options)
  if (code !== 0 || (stderr !== '' && options?.noisy !== true))
    throw new Error(`it ended with ${code ?? signal}: ${stdout}\n${stderr}`)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
}

/** Whether another user can run what stands here. */
export function isOpenToOthers(): boolean {
  for (let at = import.meta.dirname; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}
