/**
 * Other pools, all by the same four calls.
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
  work(seed: number): Promise<unknown>
  /** As `noop`, with a function that is made for the call; of those that can send one. */
  inline?(n: number): PromiseLike<unknown>
  close(): Promise<unknown>
}

/** Makes a pool. Its module was loaded when it was asked for, as in a program that has no other. */
export type MakePool = (workers: number) => Rival

const worker = (name: string): string =>
  fileURLToPath(new URL(`./workers/${name}`, import.meta.url))

/** Loads what makes such a pool. */
export function loadRival(name: PoolName): Promise<MakePool> {
  switch (name) {
    case 'piscina':
      return piscina()
    case 'tinypool':
      return tinypool('worker_threads')
    case 'tinypool-process':
      return tinypool('child_process')
    case 'workerpool':
      return workerpool('thread')
    case 'workerpool-process':
      return workerpool('process')
    case 'poolifier':
    case 'poolifier-process':
      return poolifier(name === 'poolifier')
    default:
      throw new RangeError(`There is no rival ${name}`)
  }
}

async function piscina(): Promise<MakePool> {
  const { Piscina } = await import('piscina')
  return (workers) => {
    const pool = new Piscina({
      filename: worker('plain.js'),
      minThreads: workers,
      maxThreads: workers,
    })
    return named(
      (name, argument) => pool.run(argument, { name }),
      () => pool.destroy(),
    )
  }
}

async function tinypool(runtime: 'worker_threads' | 'child_process'): Promise<MakePool> {
  const { default: Tinypool } = await import('tinypool')
  return (workers) => {
    const pool = new Tinypool({
      filename: worker('plain.js'),
      runtime,
      minThreads: workers,
      maxThreads: workers,
      serialization: 'advanced',
    })
    return named(
      (name, argument) => pool.run(argument, { name }),
      () => pool.destroy(),
    )
  }
}

async function workerpool(workerType: 'thread' | 'process'): Promise<MakePool> {
  const { default: library } = await import('workerpool')
  return (workers) => {
    const pool = library.pool(worker('workerpool.js'), {
      workerType,
      minWorkers: workers,
      maxWorkers: workers,
      forkOpts: { serialization: 'advanced' },
    })
    return {
      ...named(
        (name, argument) => pool.exec(name, argument === undefined ? [] : [argument]),
        async () => pool.terminate(),
      ),
      inline: async (n) => pool.exec((x: number) => x + 1, [n]),
    }
  }
}

async function poolifier(isThread: boolean): Promise<MakePool> {
  const { FixedClusterPool, FixedThreadPool } = await import('poolifier')
  return (workers) => {
    const pool = isThread
      ? new FixedThreadPool(workers, worker('poolifier.js'))
      : new FixedClusterPool(workers, worker('poolifier-cluster.cjs'), {
          // Else it sends JSON, which has no bytes.
          settings: { serialization: 'advanced' },
        })
    return named(
      (name, argument) => pool.execute(argument, name),
      () => pool.destroy(),
    )
  }
}

/** The calls of a pool that runs functions by their names. */
function named(
  run: (name: string, argument?: unknown) => PromiseLike<unknown>,
  close: () => PromiseLike<unknown>,
): Rival {
  return {
    noop: async () => run('noop'),
    echo: async (bytes) => run('echo', bytes),
    work: async (seed) => run('work', seed),
    close: async () => close(),
  }
}
