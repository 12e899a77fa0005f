/**
 * The surroundings of a child: read in its parent, taken over by the copy that becomes the child.
 *
 * @module
 */
import { isAbsolute, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LaunchOptions } from '../options.js'
import { forkserverPreload, setForkserverPreload } from './preload.js'
import type { Surroundings } from './protocol.js'

export function surroundingsFor({ env, cwd }: LaunchOptions): Surroundings {
  return {
    env: definedOf(env ?? process.env),
    cwd: pathOf(cwd),
    umask: process.umask(),
    preload: forkserverPreload(),
  }
}

export function takeOver({ env, cwd, umask, preload }: Surroundings): void {
  for (const name of Object.keys(process.env)) {
    if (!Object.hasOwn(env, name)) delete process.env[name]
  }
  for (const [name, value] of Object.entries(env)) {
    if (process.env[name] !== value) process.env[name] = value
  }
  process.umask(umask)
  if (process.cwd() !== cwd) process.chdir(cwd)
  setForkserverPreload(preload)
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
