/**
 * What is compared with what.
 *
 * @module
 */
import type { PoolSpec } from './pool/spec.js'
import type { Spec } from './programs/spec.js'

/** How figures are read and printed. */
export interface Unit {
  readonly name: string
  readonly factor: number
  /** Whether more is better, or less. */
  readonly better: 'more' | 'less'
}

export interface Contender {
  readonly name: string
  /** A program of `programs/`, or `python`. */
  readonly program: 'ours' | 'python' | 'ipc' | 'port' | 'sleeper' | 'idle' | 'pool' | 'python-pool'
  readonly spec: Spec | PoolSpec
}

/** The first contender is the one that all are compared with. */
export interface Contest {
  readonly name: string
  readonly title: string
  readonly unit: Unit
  readonly contenders: readonly Contender[]
}

const RATE: Unit = { name: 'messages/s', factor: 1, better: 'more' }
const TIME: Unit = { name: 'µs', factor: 1, better: 'less' }
const FLOW: Unit = { name: 'MB/s', factor: 1e-6, better: 'more' }
const MEMORY: Unit = { name: 'KiB', factor: 1 / 1024, better: 'less' }

const PLAIN: Spec = {
  what: 'one-way',
  via: 'queue',
  style: 'sync',
  payload: 'integer',
  size: 0,
  count: 0,
  producers: 1,
  consumers: 1,
}

/** All contests; `share` is the part of the usual number of messages that they send. */
export function allContests(share: number): Contest[] {
  const counted = (count: number): number => Math.max(5, Math.ceil(count * share))
  const contender = (
    name: string,
    program: Contender['program'],
    count: number,
    spec: Partial<Spec> = {},
  ): Contender => ({ name, program, spec: { ...PLAIN, ...spec, count: counted(count) } })
  return [
    ...(['integer', 'object'] as const).flatMap((payload) => small(contender, payload)),
    ...SIZES.map((size) => throughput(contender, size)),
    ...CROWDS.map(([producers, consumers]) => crowd(contender, producers, consumers)),
    sleeper(contender),
    idle(contender),
  ]
}

type Make = (
  name: string,
  program: Contender['program'],
  count: number,
  spec?: Partial<Spec>,
) => Contender

function small(make: Make, payload: Spec['payload']): Contest[] {
  const way: Partial<Spec> = { payload }
  const trip: Partial<Spec> = { payload, what: 'round-trip' }
  return [
    {
      name: `one-way-${payload}`,
      title: `Small messages one way, each an ${payload}`,
      unit: RATE,
      contenders: [
        make('Queue, sync', 'ours', 500_000, way),
        make('Queue, async', 'ours', 250_000, { ...way, style: 'async' }),
        make('Queue, for await', 'ours', 250_000, { ...way, style: 'iterate' }),
        make('Pipe, sync', 'ours', 500_000, { ...way, via: 'pipe' }),
        make('Pipe, async', 'ours', 250_000, { ...way, via: 'pipe', style: 'async' }),
        make('Python Queue', 'python', 50_000, way),
        make('Python Pipe', 'python', 50_000, { ...way, via: 'pipe' }),
        make('process.send, json', 'ipc', 30_000, { ...way, via: 'json' }),
        make('process.send, advanced', 'ipc', 30_000, { ...way, via: 'advanced' }),
        make('MessagePort', 'port', 100_000, way),
      ],
    },
    {
      name: `round-trip-${payload}`,
      title: `There and back, one after the other, each an ${payload}`,
      unit: TIME,
      contenders: [
        make('Pipe, sync', 'ours', 30_000, { ...trip, via: 'pipe' }),
        make('Pipe, async', 'ours', 10_000, { ...trip, via: 'pipe', style: 'async' }),
        make('Queue, sync', 'ours', 30_000, trip),
        make('Queue, async', 'ours', 10_000, { ...trip, style: 'async' }),
        make('Python Pipe', 'python', 5_000, { ...trip, via: 'pipe' }),
        make('Python Queue', 'python', 5_000, trip),
        make('process.send, json', 'ipc', 5_000, { ...trip, via: 'json' }),
        make('process.send, advanced', 'ipc', 5_000, { ...trip, via: 'advanced' }),
        make('MessagePort', 'port', 10_000, trip),
      ],
    },
  ]
}

const KIB = 1024
const MIB = 1024 * KIB
const SIZES = [64, KIB, 16 * KIB, 64 * KIB, MIB, 16 * MIB, 64 * MIB]

function throughput(make: Make, size: number): Contest {
  const spec: Partial<Spec> = { what: 'stream', payload: 'bytes', size }
  const count = (bytes: number, most: number): number => Math.min(most, bytes / size)
  return {
    name: `stream-${sizeName(size).replace(' ', '-')}`,
    title: `Messages of ${sizeName(size)}`,
    unit: FLOW,
    contenders: [
      make('Pipe, sendBytes', 'ours', count(1024 * MIB, 300_000), { ...spec, via: 'pipe' }),
      make('Pipe, recvBytesInto', 'ours', count(1024 * MIB, 300_000), {
        ...spec,
        via: 'pipe',
        style: 'into',
      }),
      ...(size < MIB
        ? []
        : [
            make('Pipe, lease', 'ours', count(1024 * MIB, 300_000), {
              ...spec,
              via: 'pipe',
              style: 'lease',
            }),
            make('Pipe, lease, sent in place', 'ours', count(4096 * MIB, 3_000), {
              ...spec,
              via: 'pipe',
              style: 'in-place',
            }),
          ]),
      make('Queue, Uint8Array', 'ours', count(512 * MIB, 300_000), spec),
      make('Python Pipe', 'python', count(256 * MIB, 30_000), { ...spec, via: 'pipe' }),
      make('Python Pipe, into', 'python', count(256 * MIB, 30_000), {
        ...spec,
        via: 'pipe',
        style: 'into',
      }),
      make('Python Queue', 'python', count(256 * MIB, 30_000), spec),
      make('process.send, advanced', 'ipc', count(256 * MIB, 30_000), { ...spec, via: 'advanced' }),
      make('MessagePort', 'port', count(512 * MIB, 50_000), spec),
    ],
  }
}

function sizeName(size: number): string {
  if (size >= MIB) return `${size / MIB} MiB`
  return size >= KIB ? `${size / KIB} KiB` : `${size} B`
}

const CROWD = [1, 2, 4, 8]
const CROWDS = CROWD.flatMap((producers) => CROWD.map((consumers) => [producers, consumers]))

function crowd(make: Make, producers: number, consumers: number): Contest {
  const spec: Partial<Spec> = { what: 'crowd', producers, consumers }
  return {
    name: `crowd-${producers}x${consumers}`,
    title: `One queue, ${producers} producers, ${consumers} consumers`,
    unit: RATE,
    contenders: [
      make('Queue, sync', 'ours', 300_000, spec),
      make('Python Queue', 'python', 40_000, spec),
    ],
  }
}

function sleeper(make: Make): Contest {
  const spec: Partial<Spec> = { what: 'sleeper', style: 'async' }
  return {
    name: 'sleeper',
    title: 'From put until an event loop that slept has it',
    unit: TIME,
    contenders: [
      make('Queue', 'sleeper', 200, spec),
      make('Pipe', 'sleeper', 200, { ...spec, via: 'pipe' }),
      make('waiter thread alone', 'sleeper', 200, { ...spec, via: 'floor' }),
      make('process.send, json', 'ipc', 200, { ...spec, via: 'json' }),
      make('MessagePort', 'port', 200, spec),
    ],
  }
}

function idle(make: Make): Contest {
  return {
    name: 'idle',
    title: 'Shared memory of an idle queue',
    unit: MEMORY,
    contenders: [make('used once', 'idle', 1), make('only made', 'idle', 1, { what: 'stream' })],
  }
}
