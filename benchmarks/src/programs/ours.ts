/**
 * Measures our own queues and pipes: `node ours.js SPEC`.
 *
 * @module
 */
import { type Connection, Pipe } from '@mp/pipe'
import { Process } from '@mp/process'
import { Queue, SimpleQueue } from '@mp/queue'
import { Event } from '@mp/sync'
import { FILLING, type Payload, type Spec, checkOf, ensure, payloadOf, report } from './spec.js'
import {
  type Crowd,
  type Share,
  consume,
  echoByPipe,
  echoByQueue,
  produce,
  sharesOf,
  takeFromPipe,
  takeFromQueue,
} from './targets.js'

const spec = JSON.parse(process.argv[2]) as Spec
const isSync = spec.style === 'sync'
const make = payloadOf(spec)
const check = checkOf(spec)
const phases = [spec.warmup, spec.count]

await measure()

async function measure(): Promise<void> {
  if (spec.what === 'crowd') return crowd()
  if (spec.what === 'round-trip') return spec.via === 'pipe' ? pipeTrip() : queueTrip()
  return spec.via === 'pipe' ? intoPipe() : intoQueue()
}

/** Runs both phases and reports the second. */
async function timed(phase: (count: number) => Promise<void>): Promise<void> {
  let seconds = 0
  for (const count of phases) {
    const before = performance.now()
    await phase(count)
    seconds = (performance.now() - before) / 1_000
  }
  report(spec, spec.count, seconds)
}

async function intoQueue(): Promise<void> {
  const queue = new Queue<Payload>({ maxBytes: 64 * 1024 * 1024 + 1024 })
  const done = new SimpleQueue<number>()
  const child = new Process({ target: takeFromQueue, args: [spec, queue, done] }).start()
  await timed(async (count) => {
    if (isSync) for (let i = 0; i < count; i++) queue.putSync(make(i))
    else for (let i = 0; i < count; i++) await queue.put(make(i))
    ensure((await done.get()) === count, 'Messages are missing')
  })
  await child.join()
}

async function intoPipe(): Promise<void> {
  const [here, there] = Pipe<Payload, number>()
  const child = new Process({ target: takeFromPipe, args: [spec, there] }).start()
  there.close()
  const bytes = spec.payload === 'bytes' ? (make(0) as Uint8Array) : undefined
  await timed(async (count) => {
    for (let i = 0; i < count; i++) {
      if (spec.style === 'in-place') sendInPlace(here)
      else if (bytes !== undefined) here.sendBytesSync(bytes)
      else if (isSync) here.sendSync(make(i))
      else await here.send(make(i))
    }
    ensure((await here.recv()) === count, 'Messages are missing')
  })
  await child.join()
}

/** What a program would write there is its own work; Python's bytes are there already. */
function sendInPlace(here: Connection<Payload, number>): void {
  const loan = here.allocate(spec.size)
  loan.bytes[0] = FILLING
  loan.bytes[spec.size - 1] = FILLING
  here.sendBytesSync(loan)
}

async function pipeTrip(): Promise<void> {
  const [here, there] = Pipe<Payload>()
  const child = new Process({ target: echoByPipe, args: [spec, there] }).start()
  there.close()
  await timed(async (count) => {
    for (let i = 0; i < count; i++) {
      if (isSync) {
        here.sendSync(make(i))
        check(here.recvSync(), i)
      } else {
        await here.send(make(i))
        check(await here.recv(), i)
      }
    }
  })
  await child.join()
}

async function queueTrip(): Promise<void> {
  const there = new Queue<Payload>()
  const back = new Queue<Payload>()
  const child = new Process({ target: echoByQueue, args: [spec, there, back] }).start()
  await timed(async (count) => {
    for (let i = 0; i < count; i++) {
      if (isSync) {
        there.putSync(make(i))
        check(back.getSync(), i)
      } else {
        await there.put(make(i))
        check(await back.get(), i)
      }
    }
  })
  await child.join()
}

async function crowd(): Promise<void> {
  const all: Crowd = { spec, queue: new Queue(), reports: new SimpleQueue(), go: new Event() }
  const start = (target: (crowd: Crowd) => void, count: number): Process[] =>
    Array.from({ length: count }, () => new Process({ target, args: [all] }).start())
  const members = [...start(consume, spec.consumers), ...start(produce, spec.producers)]
  const hear = (count: number): Share[] =>
    Array.from({ length: count }, () => all.reports.getSync())
  const put = hear(spec.producers)
  const before = performance.now()
  all.go.set()
  put.push(...hear(spec.producers))
  for (let i = 0; i < spec.consumers; i++) all.queue.putSync(null)
  const taken = hear(spec.consumers)
  report(spec, spec.producers * sharesOf(spec)[1], (performance.now() - before) / 1_000)
  for (const key of ['count', 'sum'] as const)
    ensure(total(put, key) === total(taken, key), `The ${key} is not what was put`)
  for (const member of members) await member.join()
}

function total(shares: readonly Share[], key: keyof Share): number {
  return shares.reduce((sum, share) => sum + share[key], 0)
}
