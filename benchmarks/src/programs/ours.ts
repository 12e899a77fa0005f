/**
 * Measures our own queues and pipes: `node ours.js SPEC`.
 *
 * @module
 */
import { type Connection, Pipe } from '@mp/pipe'
import { Process } from '@mp/process'
import { Queue, SimpleQueue } from '@mp/queue'
import { Event } from '@mp/sync'
import { FILLING, type Payload, type Spec, payloadOf, report, warmupOf } from './spec.js'
import {
  type Crowd,
  consume,
  echoByPipe,
  echoByQueue,
  produce,
  takeFromPipe,
  takeFromQueue,
} from './targets.js'

const spec = JSON.parse(process.argv[2]) as Spec
const isSync = spec.style === 'sync'
const make = payloadOf(spec)
const phases = [warmupOf(spec), spec.count]

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
    await done.get()
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
    await here.recv()
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
        here.recvSync()
      } else {
        await here.send(make(i))
        await here.recv()
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
        back.getSync()
      } else {
        await there.put(make(i))
        await back.get()
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
  for (let i = 0; i < spec.producers; i++) all.reports.getSync()
  const before = performance.now()
  all.go.set()
  for (let i = 0; i < spec.producers; i++) all.reports.getSync()
  for (let i = 0; i < spec.consumers; i++) all.queue.putSync(null)
  for (let i = 0; i < spec.consumers; i++) all.reports.getSync()
  report(spec, spec.count, (performance.now() - before) / 1_000)
  for (const member of members) await member.join()
}
