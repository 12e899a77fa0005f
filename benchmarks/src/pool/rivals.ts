/**
 * Other pools, all by the same three calls.
 *
 * Each is set up as its README says for what is measured: a fixed number of workers, one task a worker at a time.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import type { PoolName } from './spec.js'

export interface Rival {
  noop(): Promise<unknown>
  echo(bytes: Uint8Array): Promise<unknown>
  close(): Promise<unknown>
}

const worker = (name: string): string =>
  fileURLToPath(new URL(`./workers/${name}.js`, import.meta.url))

/** Makes a pool; its module is loaded when it is asked for, as in a program that has no other. */
export function openRival(name: PoolName, workers: number): Promise<Rival> {
  switch (name) {
    case 'piscina':
      return piscina(workers)
    case 'tinypool':
      return tinypool(workers, 'worker_threads')
    case 'tinypool-process':
      return tinypool(workers, 'child_process')
    case 'workerpool':
      return workerpool(workers, 'thread')
    case 'workerpool-process':
      return workerpool(workers, 'process')
    case 'poolifier':
      return poolifier(workers)
    default:
      throw new RangeError(`There is no rival ${name}`)
  }
}

async function piscina(workers: number): Promise<Rival> {
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: worker('plain'),
    minThreads: workers,
    maxThreads: workers,
  })
  return {
    noop: () => pool.run(undefined, { name: 'noop' }) as Promise<unknown>,
    echo: (bytes) => pool.run(bytes, { name: 'echo' }) as Promise<unknown>,
    close: () => pool.destroy(),
  }
}

async function tinypool(
  workers: number,
  runtime: 'worker_threads' | 'child_process',
): Promise<Rival> {
  const { default: Tinypool } = await import('tinypool')
  const pool = new Tinypool({
    filename: worker('plain'),
    runtime,
    minThreads: workers,
    maxThreads: workers,
    serialization: 'advanced',
  })
  return {
    noop: () => pool.run(undefined, { name: 'noop' }) as Promise<unknown>,
    echo: (bytes) => pool.run(bytes, { name: 'echo' }) as Promise<unknown>,
    close: () => pool.destroy(),
  }
}

async function workerpool(workers: number, workerType: 'thread' | 'process'): Promise<Rival> {
  const { default: library } = await import('workerpool')
  const pool = library.pool(worker('workerpool'), {
    workerType,
    minWorkers: workers,
    maxWorkers: workers,
    forkOpts: { serialization: 'advanced' },
  })
  return {
    noop: () => Promise.resolve(pool.exec('noop', [])),
    echo: (bytes) => Promise.resolve(pool.exec('echo', [bytes])),
    close: () => Promise.resolve(pool.terminate()),
  }
}

async function poolifier(workers: number): Promise<Rival> {
  const { FixedThreadPool } = await import('poolifier')
  const pool = new FixedThreadPool<unknown, unknown>(workers, worker('poolifier'))
  return {
    noop: () => pool.execute(undefined, 'noop'),
    echo: (bytes) => pool.execute(bytes, 'echo'),
    close: () => pool.destroy(),
  }
}
