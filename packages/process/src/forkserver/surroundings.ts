/**
 * The surroundings of a child: read in its parent, taken over by the copy that becomes the child.
 *
 * @module
 */
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LaunchOptions } from '../options.js'
import { forkserverPreload, setForkserverPreload } from './preload.js'
import type { EnvChanges, Surroundings } from './protocol.js'

type Env = Readonly<Record<string, string>>

/** What every server of this thread is started with, but for what a process reads at its start. */
let base: Env | undefined

export function surroundingsFor({ env, cwd }: LaunchOptions): Surroundings {
  return {
    env: changesOf(baseEnv(), definedOf(env ?? process.env)),
    cwd: pathOf(cwd),
    umask: process.umask(),
    preload: forkserverPreload(),
  }
}

export function takeOver({ env, cwd, umask, preload }: Surroundings): void {
  changeEnv(env)
  process.umask(umask)
  if (process.cwd() !== cwd) process.chdir(cwd)
  setForkserverPreload(preload)
}

/** The environment of a server. To read dozens of variables, send them, and compare them would be a tenth of a start. */
export function serverEnv(): Env {
  const isAtStart = ([name]: [string, unknown]): boolean => AT_START.test(name)
  return Object.fromEntries([
    ...Object.entries(baseEnv()).filter((entry) => !isAtStart(entry)),
    ...Object.entries(definedOf(process.env)).filter(isAtStart),
  ])
}

/** Returns what takes back all changes of this process's environment from now on. */
export function keepEnv(): () => void {
  const kept = definedOf(process.env)
  return () => changeEnv(changesOf(definedOf(process.env), kept))
}

function baseEnv(): Env {
  return (base ??= definedOf(process.env))
}

function changesOf(from: Env, to: Env): EnvChanges {
  return {
    set: Object.fromEntries(Object.entries(to).filter(([name, value]) => from[name] !== value)),
    unset: Object.keys(from).filter((name) => !Object.hasOwn(to, name)),
  }
}

function changeEnv({ set, unset }: EnvChanges): void {
  for (const name of unset) delete process.env[name]
  for (const [name, value] of Object.entries(set)) process.env[name] = value
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const defined: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined) defined[name] = String(value)
  }
  return defined
}

function pathOf(cwd: string | URL | undefined): string {
  if (cwd === undefined) return process.cwd()
  const path = cwd instanceof URL ? fileURLToPath(cwd) : cwd
  return isAbsolute(path) ? path : resolve(path)
}

/** Variables that Node, its loader or we read when a process starts: where they differ, a copy would be wrong. */
const AT_START = /^(NODE_|UV_|LD_|SSL_|OPENSSL_|ICU_|V8_|MP_)/

/** What a process would read of `env` at its start, as one word to compare. */
export function atStart(env: NodeJS.ProcessEnv): string {
  const names = Object.keys(env).filter((name) => AT_START.test(name) && env[name] !== undefined)
  return JSON.stringify(names.sort().map((name) => [name, env[name]]))
}
