/**
 * Queues and pipes beside Python's, `process.send` and `MessagePort`.
 *
 * @module
 */
import {
  type Contender,
  type Contest,
  type Extent,
  FLOW,
  type Form,
  type Goal,
  type Kind,
  MICROSECONDS,
  type Unit,
  share,
} from '../contest.js'
import type { Spec } from '../programs/spec.js'

const RATE: Unit = { name: 'messages/s', factor: 1, better: 'more' }
const MEMORY: Unit = { name: 'KiB', factor: 1 / 1024, better: 'less' }

const PLAIN: Spec = {
  what: 'one-way',
  via: 'queue',
  style: 'sync',
  payload: 'integer',
  size: 0,
  count: 0,
  warmup: 0,
  producers: 1,
  consumers: 1,
}

type Program = 'ours' | 'python' | 'ipc' | 'port' | 'sleeper' | 'idle'

type Make = (name: string, program: Program, count: number, spec?: Partial<Spec>) => Contender

const PROGRAMS: Record<Program, { path: string; kind: Kind }> = {
  ours: { path: 'programs/ours.js', kind: 'ours' },
  sleeper: { path: 'programs/sleeper.js', kind: 'ours' },
  idle: { path: 'programs/idle.js', kind: 'ours' },
  ipc: { path: 'programs/ipc.js', kind: 'node' },
  port: { path: 'programs/port.js', kind: 'node' },
  python: { path: 'python/messages.py', kind: 'python' },
}

/** All contests of messages. */
export function messageContests(extent: Extent): Contest[] {
  const make: Make = (name, program, count, spec = {}) => {
    const counted = share(extent, count)
    return {
      name,
      kind: spec.via === 'floor' ? 'floor' : PROGRAMS[program].kind,
      program: PROGRAMS[program].path,
      spec: { ...PLAIN, ...spec, count: counted, warmup: Math.ceil(counted / 5) },
    }
  }
  return [
    ...small(make, 'integer', 'smoke'),
    ...small(make, 'object', 'full'),
    ...SIZES.map(([size, form]) => throughput(make, size, form)),
    ...CROWD.flatMap((producers) => CROWD.map((consumers) => crowd(make, producers, consumers))),
    sleeper(extent, make),
    idle(make),
  ]
}

function small(make: Make, payload: Spec['payload'], form: Form): Contest[] {
  const way: Partial<Spec> = { payload }
  const trip: Partial<Spec> = { payload, what: 'round-trip' }
  return [
    {
      group: 'messages',
      name: `one-way-${payload}`,
      title: `Small messages one way, each an ${payload}`,
      unit: RATE,
      form,
      goals: payload === 'integer' ? ONE_WAY_GOALS : [],
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
      group: 'messages',
      name: `round-trip-${payload}`,
      title: `There and back, one after the other, each an ${payload}`,
      unit: MICROSECONDS,
      form,
      goals: payload === 'integer' ? ROUND_TRIP_GOALS : [],
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

const ONE_WAY_GOALS: Goal[] = [
  {
    text: "small messages: 8 times Python's Queue",
    of: 'Queue, sync',
    beside: ['Python Queue'],
    times: 8,
  },
  {
    text: 'small messages: 10 times process.send',
    of: 'Queue, sync',
    beside: ['process.send, json', 'process.send, advanced'],
    times: 10,
  },
]

const ROUND_TRIP_GOALS: Goal[] = [
  {
    text: "round trip of a Pipe: a sixth of Python's",
    of: 'Pipe, sync',
    beside: ['Python Pipe'],
    times: 6,
  },
]

const KIB = 1024
const MIB = 1024 * KIB
/** Bytes of a message, and the shortest form that measures them. */
const SIZES: readonly (readonly [number, Form])[] = [
  [64, 'full'],
  [KIB, 'full'],
  [16 * KIB, 'full'],
  [64 * KIB, 'full'],
  [MIB, 'smoke'],
  [16 * MIB, 'full'],
  [64 * MIB, 'quick'],
]

function throughput(make: Make, size: number, form: Form): Contest {
  const spec: Partial<Spec> = { what: 'stream', payload: 'bytes', size }
  const pipe: Partial<Spec> = { ...spec, via: 'pipe' }
  const count = (bytes: number, most: number): number => Math.min(most, bytes / size)
  const inPlace =
    size < MIB
      ? []
      : [
          make('Pipe, lease', 'ours', count(1024 * MIB, 1_000), { ...pipe, style: 'lease' }),
          make('Pipe, lease, sent in place', 'ours', count(4096 * MIB, 3_000), {
            ...pipe,
            style: 'in-place',
          }),
        ]
  return {
    group: 'messages',
    name: `stream-${sizeName(size).replace(' ', '-')}`,
    title: `Messages of ${sizeName(size)}`,
    unit: FLOW,
    form,
    series: {
      name: 'stream',
      title: 'Messages of 64 B to 64 MiB',
      chart: 'lines',
      at: sizeName(size),
    },
    goals: STREAM_GOALS[sizeName(size)] ?? [],
    contenders: [
      make('Pipe, sendBytes', 'ours', count(512 * MIB, 300_000), pipe),
      make('Pipe, recvBytesInto', 'ours', count(1024 * MIB, 300_000), { ...pipe, style: 'into' }),
      ...inPlace,
      make('Queue, Uint8Array', 'ours', count(512 * MIB, 300_000), spec),
      make('Python Pipe', 'python', count(256 * MIB, 30_000), pipe),
      make('Python Pipe, into', 'python', count(256 * MIB, 30_000), { ...pipe, style: 'into' }),
      make('Python Queue', 'python', count(256 * MIB, 30_000), spec),
      make('process.send, advanced', 'ipc', count(256 * MIB, 30_000), { ...spec, via: 'advanced' }),
      make('MessagePort', 'port', count(512 * MIB, 50_000), spec),
    ],
  }
}

const STREAM_GOALS: Record<string, Goal[]> = {
  '1 MiB': [
    {
      text: "messages of 1 MiB: 6 times Python's Pipe",
      of: 'Pipe, sendBytes',
      beside: ['Python Pipe'],
      times: 6,
    },
  ],
  '64 MiB': [
    {
      text: "messages of 64 MiB by lease: 20 times Python's Pipe",
      of: 'Pipe, lease, sent in place',
      beside: ['Python Pipe'],
      times: 20,
    },
  ],
}

function sizeName(size: number): string {
  if (size >= MIB) return `${size / MIB} MiB`
  return size >= KIB ? `${size / KIB} KiB` : `${size} B`
}

const CROWD = [1, 2, 4, 8]
const CROWD_FORMS: Record<string, Form> = { '2x2': 'smoke', '1x1': 'quick', '4x4': 'quick' }

function crowd(make: Make, producers: number, consumers: number): Contest {
  const spec: Partial<Spec> = { what: 'crowd', producers, consumers }
  return {
    group: 'messages',
    name: `crowd-${producers}x${consumers}`,
    title: `One queue, ${people(producers, 'producer')}, ${people(consumers, 'consumer')}`,
    unit: RATE,
    form: CROWD_FORMS[`${producers}x${consumers}`] ?? 'full',
    series: {
      name: 'crowd',
      title: 'One queue, 1 to 8 producers × 1 to 8 consumers',
      chart: 'bars',
      at: `${producers} × ${consumers}`,
    },
    goals: [],
    contenders: [
      make('Queue, sync', 'ours', 300_000, spec),
      make('Python Queue', 'python', 40_000, spec),
    ],
  }
}

function people(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

function sleeper(extent: Extent, make: Make): Contest {
  // What happens seldom is compiled late: these need more of a warm-up than others.
  const warmup = share(extent, 4_000)
  const spec: Partial<Spec> = { what: 'sleeper', style: 'async' }
  const sleeping = (name: string, program: Program, own: Partial<Spec> = {}): Contender => {
    const contender = make(name, program, 200, { ...spec, ...own })
    return { ...contender, spec: { ...contender.spec, warmup } }
  }
  return {
    group: 'messages',
    name: 'sleeper',
    title: 'From put until an event loop that slept has it',
    unit: MICROSECONDS,
    form: 'smoke',
    goals: [
      {
        text: 'a consumer that sleeps: within twice the waiter thread alone',
        of: 'Queue',
        beside: ['waiter thread alone'],
        times: 0.5,
      },
    ],
    contenders: [
      sleeping('Queue', 'sleeper'),
      sleeping('Pipe', 'sleeper', { via: 'pipe' }),
      sleeping('waiter thread alone', 'sleeper', { via: 'floor' }),
      sleeping('process.send, json', 'ipc', { via: 'json' }),
      sleeping('MessagePort', 'port'),
    ],
  }
}

function idle(make: Make): Contest {
  return {
    group: 'messages',
    name: 'idle',
    title: 'Shared memory of an idle queue',
    unit: MEMORY,
    form: 'smoke',
    goals: [{ text: 'an idle queue: at most 64 KiB', of: 'used once', limit: 64 }],
    contenders: [make('used once', 'idle', 1), make('only made', 'idle', 1, { what: 'stream' })],
  }
}
