/**
 * Times how long `dumps` of a function takes: `node scripts/function-speed.mjs [PROCESSES]`.
 *
 * `first` is the first function that a process sends by value, with all that is loaded for it; `later` are others of
 * the same file; `cached` is one that was sent before. Of the last there are those whose captures cannot be assigned,
 * classes, and one whose captured variable functions assign, which is read anew at every call.
 *
 * Prints medians of all processes: by the clock, and as processor time, which a busy machine distorts less (and which
 * counts the threads of the engine, too).
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { dumps } from '@mp/pickle'

const processorMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

function time(run) {
  const [clock, processor] = [performance.now(), processorMs()]
  run()
  return { clock: performance.now() - clock, processor: processorMs() - processor }
}

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1]

/** The median of many calls, by the clock: one is too short for the counter of processor time. */
function timeCached(value) {
  const times = Array.from({ length: 3_000 }, () => time(() => dumps(value)).clock)
  return { clock: median(times) }
}

function measure() {
  const factor = 3
  const list = [1, 2, 3]
  let assigned = 0
  const read = (x) => x * factor + list.length
  const others = [
    (x) => x + 1,
    async (x) => x * factor,
    function* () {
      yield factor
    },
    (x, y = factor) => read(x) + y,
    class {
      run() {
        return factor
      }
    },
  ]
  class Job {
    static kind = 'job'
    n = 1
    run() {
      return this.n * factor
    }
  }
  const assigns = () => ++assigned
  return {
    first: time(() => dumps(read)),
    later: others
      .map((fn) => time(() => dumps(fn)))
      .toSorted((a, b) => a.clock - b.clock)
      .at(-1),
    'cached function': timeCached(read),
    'cached class': timeCached(Job),
    'cached instance': timeCached(new Job()),
    'cached, assigned variable': timeCached(assigns),
  }
}

if (process.argv[2] === 'measure') {
  process.stdout.write(JSON.stringify(measure()))
} else {
  const processes = Number(process.argv[2] ?? 15)
  if (!(processes > 0)) {
    console.error('usage: node scripts/function-speed.mjs [PROCESSES]')
    process.exit(2)
  }
  const rounds = Array.from({ length: processes }, () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [fileURLToPath(import.meta.url), 'measure'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    )
    if (status !== 0) throw new Error(`a process ended with ${status}`)
    return JSON.parse(stdout)
  })
  const atMost = { first: 40, later: 1 }
  console.log(`Node ${process.version}, medians of ${processes} processes`)
  for (const name of Object.keys(rounds[0])) {
    const of = (kind) => median(rounds.map((round) => round[name][kind]))
    const isCached = name.startsWith('cached')
    const clock = isCached
      ? `${(of('clock') * 1_000).toFixed(1)} µs`
      : `${of('clock').toFixed(2)} ms`
    const processor = isCached ? '' : `, processor ${of('processor').toFixed(2)} ms`
    const goal = isCached ? '20 µs' : `${atMost[name]} ms`
    console.log(`${name.padEnd(26)} ${clock}${processor} (at most ${goal})`)
  }
}
