/**
 * Who cannot take part here, and why.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender, Contest } from './contest.js'

/** A rival that is not here, by the name of what is missing. */
export interface Missing {
  readonly name: string
  readonly reason: string
}

/** What the contenders need: the versions of what is here, and what is not. */
export interface Roll {
  readonly versions: Readonly<Record<string, string>>
  readonly missing: readonly Missing[]
}

/** The oldest Python that our comparisons are meant for. */
const PYTHON = [3, 11]

/** Looks for everything that some contender needs. */
export function callRoll(contests: readonly Contest[]): Roll {
  const versions: Record<string, string> = {}
  const missing: Missing[] = []
  const needs = new Set(contests.flatMap(({ contenders }) => contenders.flatMap(needOf)))
  for (const name of needs) {
    const found = name === 'Python' ? findPython() : findPackage(name)
    if (found.version === undefined) missing.push({ name, reason: found.reason })
    else versions[name] = found.version
  }
  return { versions, missing }
}

/** The contest without those for whom something is missing. */
export function present(contest: Contest, missing: readonly Missing[]): Contest {
  const names = new Set(missing.map(({ name }) => name))
  const contenders = contest.contenders.filter(
    (contender) => !needOf(contender).some((name) => names.has(name)),
  )
  return { ...contest, contenders }
}

function needOf({ kind, needs }: Contender): string[] {
  if (kind === 'python') return ['Python']
  return needs === undefined ? [] : [needs]
}

type Found = { version: string } | { version?: undefined; reason: string }

function findPython(): Found {
  const { status, stdout } = spawnSync('python3', [
    '-c',
    'import sys; print("%d.%d.%d" % sys.version_info[:3])',
  ])
  if (status !== 0) return { reason: 'there is no python3 on PATH' }
  const version = stdout.toString().trim()
  const [major, minor] = version.split('.').map(Number)
  const isNewEnough = major > PYTHON[0] || (major === PYTHON[0] && minor >= PYTHON[1])
  return isNewEnough ? { version } : { reason: `python3 is ${version}, not 3.11 or newer` }
}

function findPackage(name: string): Found {
  let path: string
  try {
    path = fileURLToPath(import.meta.resolve(name))
  } catch {
    return { reason: 'the package is not installed' }
  }
  return { version: versionOf(name, path) }
}

/** The version in the package.json above a file of the package. */
function versionOf(name: string, path: string): string {
  for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = readManifest(join(folder, 'package.json'))
    if (manifest?.name === name) return manifest.version ?? 'unknown'
  }
  return 'unknown'
}

function readManifest(path: string): { name?: string; version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined // it is further up
    throw error
  }
}
