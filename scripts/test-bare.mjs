/**
 * Runs the conformance suites without the addon: `node scripts/test-bare.mjs [--short]`.
 *
 * There are only threads then. Left out are the suites of what needs processes, or knows where in memory things lie.
 *
 * @module
 */
import { spawn } from 'node:child_process'

const inPackage = (name, ...files) => files.map((file) => `packages/${name}/test/${file}.test.ts`)

const short = [
  ...inPackage('sync', 'lock', 'condition', 'event'),
  ...inPackage('queue', 'queue'),
  ...inPackage('pipe', 'pipe'),
  ...inPackage('shared-memory', 'shared-array'),
]

const all = [
  ...short,
  'packages/sync',
  'packages/queue',
  'packages/pool',
  'packages/multiprocessing',
  ...inPackage('pipe', 'wait', 'model', 'in-flight', 'lease', 'python'),
  ...inPackage('pipe', 'listener', 'listener-deaths', 'listener-ledger', 'listener-strangers'),
  ...inPackage('process', 'process', 'starting', 'ending', 'units'),
  ...inPackage('shared-memory', 'shareable-list', 'shared-value', 'object-limit'),
  'reliability/test/terminated.test.ts',
]

const env = {
  ...process.env,
  MP_PLATFORM: 'bare',
  MP_BARE_KILLS: process.env.MP_BARE_KILLS ?? '40',
}
const child = spawn('vitest', ['run', ...(process.argv[2] === '--short' ? short : all)], {
  stdio: 'inherit',
  env,
})
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('exit', (code, signal) => {
  process.exitCode = signal === null ? code : 1
})
