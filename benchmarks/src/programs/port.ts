/**
 * Measures a `MessagePort` between two threads: `node port.js SPEC`.
 *
 * @module
 */
import { once } from 'node:events'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { type Payload, type Spec, checkOf, payloadOf, report } from './spec.js'
import { Waits, stampsOf, tell } from './targets.js'

const spec = (isMainThread ? JSON.parse(process.argv[2]) : workerData) as Spec
const check = checkOf(spec)
const phases = [spec.warmup, spec.count]
if (isMainThread) await parent()
else child()

async function parent(): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { workerData: spec })
  await once(worker, 'message')
  if (spec.what === 'sleeper') await sleep(worker)
  else await send(worker)
  await worker.terminate()
}

async function send(worker: Worker): Promise<void> {
  let seconds = 0
  for (const count of phases) {
    const before = performance.now()
    await (spec.what === 'round-trip' ? trips(worker, count) : pour(worker, count))
    seconds = (performance.now() - before) / 1_000
  }
  report(spec, spec.count, seconds)
}

/** Sends with bounds on what is under way, which a port has not: it would take gigabytes. */
async function pour(worker: Worker, count: number): Promise<void> {
  const make = payloadOf(spec)
  const window = spec.payload === 'bytes' ? Math.max(2, Math.floor(6.4e7 / spec.size)) : Infinity
  let taken = 0
  let isTaken = (): void => {}
  const onMessage = (): void => {
    taken++
    isTaken()
  }
  worker.on('message', onMessage)
  const until = async (least: number): Promise<void> => {
    while (taken < least) await new Promise<void>((resolve) => (isTaken = resolve))
  }
  for (let i = 0; i < count; i++) {
    if (i >= window) await until(i - window)
    worker.postMessage(make(i))
  }
  await until(window === Infinity ? 1 : count)
  worker.off('message', onMessage)
}

function trips(worker: Worker, count: number): Promise<void> {
  const make = payloadOf(spec)
  return new Promise((resolve) => {
    let i = 0
    const onMessage = (message: Payload): void => {
      check(message, i)
      if (++i < count) return worker.postMessage(make(i))
      worker.off('message', onMessage)
      resolve()
    }
    worker.on('message', onMessage)
    worker.postMessage(make(0))
  })
}

async function sleep(worker: Worker): Promise<void> {
  const waits = new Waits()
  worker.on('message', (stamp: number) => waits.add(stamp))
  worker.postMessage('go')
  while (waits.all.length < stampsOf(spec)) await once(worker, 'message')
  waits.report(spec)
}

function child(): void {
  const port = parentPort!
  let phase = 0
  let i = 0
  port.on('message', (message: Payload) => {
    if (spec.what === 'sleeper') return tell(spec, (stamp) => port.postMessage(stamp))
    if (spec.what === 'round-trip') return port.postMessage(message)
    check(message, i)
    i++
    // A window of bytes moves with each message; of small ones only the last is reported.
    if (spec.payload === 'bytes') return port.postMessage(0)
    if (i < phases[phase]) return
    phase++
    i = 0
    port.postMessage(0)
  })
  port.postMessage('ready')
}
