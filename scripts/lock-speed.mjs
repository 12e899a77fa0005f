/**
 * Times a free lock, ours and Python's, in turns: `node scripts/lock-speed.mjs [ROUNDS]`.
 *
 * `block` is what programs write: a section that holds the lock (`with lock:` in Python; in ours what `using`
 * compiles to). `calls` are `lock.acquire()` and `lock.release()`, and `bound` is the same with Python's two methods
 * looked up once, before the loop, which leaves the least of Python in it.
 *
 * Prints nanoseconds of CPU for taking and giving back, medians of all rounds, and how many times faster ours is.
 */
import { spawnSync } from 'node:child_process'

const rounds = Number(process.argv[2] ?? 15)
if (!(rounds > 0)) {
  console.error('usage: node scripts/lock-speed.mjs [ROUNDS]')
  process.exit(2)
}
const PAIRS = 1_000_000

const calls = 'lock.acquireSync(); lock.release()'
const ourBodies = {
  block: 'const guard = lock.acquireSync(); try { inside++ } finally { guard[Symbol.dispose]() }',
  calls,
  bound: calls,
}
const ours = (body) => `
import { Lock } from '@mp/sync'
const lock = new Lock()
let inside = 0
const times = (n) => { for (let i = 0; i < n; i++) { ${body} } }
times(${PAIRS} / 5)
const before = process.cpuUsage()
times(${PAIRS})
const { user, system } = process.cpuUsage(before)
console.log(((user + system) * 1000) / ${PAIRS})
`

const pythonBodies = {
  block: ['with lock:', '    inside += 1'],
  calls: ['lock.acquire(); lock.release()'],
  bound: ['acquire(); release()'],
}
const pythons = (body) => `
import multiprocessing, time
lock = multiprocessing.Lock()
def times(n):
    acquire, release = lock.acquire, lock.release
    inside = 0
    for _ in range(n):
        ${body.join('\n        ')}
times(${PAIRS} // 5)
before = time.process_time()
times(${PAIRS})
print((time.process_time() - before) * 1e9 / ${PAIRS})
`

const forms = Object.keys(ourBodies).map((form) => ({
  form,
  ours: {
    command: [process.execPath, '--input-type=module', '-e', ours(ourBodies[form])],
    figures: [],
  },
  python: { command: ['python3', '-c', pythons(pythonBodies[form])], figures: [] },
}))

let isPythonHere = true
for (let round = 0; round < rounds; round++) {
  for (const { ours, python } of forms) {
    measure(ours)
    isPythonHere &&= measure(python)
  }
}
if (!isPythonHere) console.log('python3 is not here')
for (const { form, ours, python } of forms) {
  const columns = [form.padEnd(6), `ours ${describe(ours.figures)}`]
  if (isPythonHere) {
    const ratio = median(python.figures) / median(ours.figures)
    columns.push(`Python ${describe(python.figures)}`, `${ratio.toFixed(2)} times as fast`)
  }
  console.log(columns.join('   '))
}

/** Whether the command is here. */
function measure({ command: [file, ...args], figures }) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'utf8' })
  if (error?.code === 'ENOENT') return false
  if (status !== 0) throw error ?? new Error(`${file} ended with ${status}: ${stderr}`)
  figures.push(Number(stdout))
  return true
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}

function describe(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return `${median(values).toFixed(1)} ns (${low.toFixed(1)} to ${high.toFixed(1)})`
}
