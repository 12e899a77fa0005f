/**
 * Starts many processes at once: `pnpm starts [--children N] [--method M]`.
 *
 * All are alive at the same moment: each waits for a gate that opens when the last one has been started. Then each
 * ends with a code of its own, which `join()` has to give; and nothing is left of them in the session.
 *
 * @module
 */
import { Process, type StartMethod, activeChildren, getAllStartMethods } from '@mp/process'
import { SLOT, SLOT_STATE, session, slotWord } from '@mp/shared-memory/internal'
import { Event, Semaphore } from '@mp/sync'
import { parseArgs } from 'node:util'

const HELP = `usage: pnpm starts [--children N] [--method spawn|forkserver|thread]

Starts N processes (default 500) that are all alive at once, by one start method or by each in turn.`

const { values } = parseArgs({
  options: {
    children: { type: 'string', default: '500' },
    method: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
const count = Number(values.children)
if (values.help || !(count > 0)) {
  console.log(HELP)
  process.exit(values.help ? 0 : 2)
}
const methods = values.method === undefined ? getAllStartMethods() : [values.method as StartMethod]

/** Exit codes are 0 to 255. */
const codeOf = (i: number): number => i % 256

function livingAgents(): number {
  const { agent, words } = session()
  let living = 0
  for (let slot = 0; slot < agent.highSlot(); slot++) {
    if (((words[slotWord(slot) + SLOT.state] ?? 0) & 0xff) !== SLOT_STATE.free) living++
  }
  return living
}

async function startAll(startMethod: StartMethod): Promise<boolean> {
  const before = livingAgents()
  const began = performance.now()
  const gate = new Event()
  const arrived = new Semaphore(0)
  const target = async (code: number, mine: Event, here: Semaphore): Promise<void> => {
    here.release()
    await mine.wait()
    process.exitCode = code
  }
  const children = Array.from({ length: count }, (_, i) =>
    new Process({ target, args: [codeOf(i), gate, arrived], startMethod }).start(),
  )
  const startedMs = performance.now() - began
  for (let i = 0; i < count; i++) await arrived.acquire()
  const living = livingAgents() - before
  const aliveMs = performance.now() - began
  gate.set()
  const codes = await Promise.all(children.map((child) => child.join()))
  const wrong = codes.filter((code, i) => code !== codeOf(i)).length
  const isWell = wrong === 0 && activeChildren().length === 0 && living === count
  const times = [startedMs, aliveMs, performance.now() - began].map((ms) => (ms / 1_000).toFixed(1))
  console.log(
    `${isWell ? 'well' : 'PROBLEM'} ${startMethod}: ${count} started in ${times[0]} s, ${living} alive after ${times[1]} s, ` +
      `ended after ${times[2]} s, ${wrong} with a wrong code, ${activeChildren().length} active`,
  )
  return isWell
}

let isWell = true
for (const method of methods) isWell = (await startAll(method)) && isWell
process.exitCode = isWell ? 0 : 1
