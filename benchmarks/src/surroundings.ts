/**
 * Where and with what a run was made. No name of a host, a user or a folder is part of it.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly kernel: string
  readonly architecture: string
}

export function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    architecture: process.arch,
  }
}

/** The mean number of processes that wanted a CPU in the last minute. */
export function load(): number {
  return Math.round(loadavg()[0] * 10) / 10
}

/** The commit that is measured, and whether files were changed since; results of earlier runs do not count. */
export function describeCommit(): string {
  const commit = git('rev-parse', '--short=10', 'HEAD')
  if (commit === undefined) return 'unknown'
  const changes = git('status', '--porcelain', '--', '.', ':!benchmarks/results', ':!README.md')
  return changes === '' ? commit : `${commit} and changes`
}

function git(...args: string[]): string | undefined {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? stdout.trim() : undefined
}
