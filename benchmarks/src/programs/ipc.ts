/**
 * Measures `process.send` between a process and its child: `node ipc.js SPEC`.
 *
 * @module
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type Payload, type Spec, checkOf, payloadOf, report } from './spec.js'
import { Waits, stampsOf, tellByLoop } from './targets.js'

/** After so many messages the sender waits until they are written: what it has not written it holds in memory. */
const BATCH = 1_000

const spec = JSON.parse(process.argv[2]) as Spec
const check = checkOf(spec)
const phases = [spec.warmup, spec.count]
if (process.send === undefined) await parent()
else child()

async function parent(): Promise<void> {
  const serialization = spec.via as 'json' | 'advanced'
  const child = fork(import.meta.filename, [process.argv[2]], { serialization })
  await once(child, 'message')
  if (spec.what === 'sleeper') await sleep(child)
  else await send(child)
  child.disconnect()
  await once(child, 'exit')
}

async function send(child: ChildProcess): Promise<void> {
  const make = payloadOf(spec)
  let seconds = 0
  for (const count of phases) {
    const before = performance.now()
    await (spec.what === 'round-trip' ? trips(child, count, make) : pour(child, count, make))
    seconds = (performance.now() - before) / 1_000
  }
  report(spec, spec.count, seconds)
}

async function pour(
  child: ChildProcess,
  count: number,
  make: (i: number) => Payload,
): Promise<void> {
  const done = once(child, 'message')
  const batch = spec.payload === 'bytes' ? Math.max(1, Math.floor(1e8 / spec.size)) : BATCH
  for (let i = 0; i < count;) {
    const end = Math.min(count, i + batch) - 1
    for (; i < end; i++) child.send(asMessage(make(i)))
    await new Promise((written) => child.send(asMessage(make(i++)), written))
  }
  await done
}

function trips(child: ChildProcess, count: number, make: (i: number) => Payload): Promise<void> {
  return new Promise((resolve) => {
    let i = 0
    const onMessage = (message: Payload): void => {
      check(message, i)
      if (++i < count) return void child.send(asMessage(make(i)))
      child.off('message', onMessage)
      resolve()
    }
    child.on('message', onMessage)
    child.send(asMessage(make(0)))
  })
}

async function sleep(child: ChildProcess): Promise<void> {
  const waits = new Waits()
  child.on('message', (stamp: number) => waits.add(stamp))
  child.send('go')
  while (waits.all.length < stampsOf(spec)) await once(child, 'message')
  waits.report(spec)
}

function child(): void {
  let phase = 0
  let i = 0
  process.on('message', (message) => {
    if (spec.what === 'sleeper') return void tellByLoop(spec, (stamp) => process.send!(stamp))
    if (spec.what === 'round-trip') return void process.send!(message)
    check(message as Payload, i)
    if (++i < phases[phase]) return
    phase++
    i = 0
    process.send!('all')
  })
  process.send!('ready')
}

/** JSON knows no bytes. */
function asMessage(payload: Payload): Payload & object {
  return payload as Payload & object
}
