/**
 * Fails a test, or a file of tests, that leaves a process, a file or a descriptor behind.
 *
 * A setup file of vitest, where its hooks are the outermost: they look after all others have
 * cleaned up. What a file of tests sets up for all of them is taken as given for each.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { aroundAll, aroundEach } from 'vitest'
import { isBareRun } from './bare.js'
import { type Picture, Watch, describe } from './leftovers.js'
import { killProcess } from './processes.js'
import { makeFolders } from './run-folders.js'

/** How long it may take until everything is gone, in milliseconds. */
const GRACE_MS = Number(process.env['MP_LEAK_GRACE'] ?? 5_000)

// Children inherit all of it: a mark to be found by, and folders of our own for temporary files and blocks of memory.
const mark = { name: 'MP_TEST_FILE', value: `${process.pid}-${Date.now()}` }
const [temporary, blocks] = makeFolders()
process.env[mark.name] = mark.value
process.env['TMPDIR'] = temporary
process.env['MP_SHARED_MEMORY_DIR'] = blocks

let watch: Watch

aroundAll(async (runTests) => {
  // The first child of a process leaves it with a pipe for signals, for good.
  await once(spawn('true', { stdio: 'ignore' }), 'close')
  if (isBareRun) await startSteward()
  watch = new Watch({ mark, folders: [temporary, blocks] })
  const before = watch.take()
  await runTests()
  await check('These tests leave behind', before)
})

aroundEach(async (runTest) => {
  const before = watch.take()
  await runTest()
  await check('This test leaves behind', before)
})

/** Without the addon a session has a thread of its own, with the descriptors of an event loop. */
async function startSteward(): Promise<void> {
  // By its file: this package depends on none of those that it tests.
  const core = new URL('../../packages/shared-memory/lib/internal.js', import.meta.url)
  const { session } = (await import(core.href)) as { session: () => Session }
  try {
    session().native.bare.blocks.find(-1, 0)
  } catch (error) {
    // It has answered.
    if ((error as { code?: string }).code !== 'ERR_MP_STALE_HANDLE') throw error
  }
}

interface Session {
  native: { bare: { blocks: { find(index: number, generation: number): unknown } } }
}

async function check(what: string, before: Picture): Promise<void> {
  const left = await watch.leftSince(before, GRACE_MS)
  if (left === null) return
  // Those after it are not to suffer.
  for (const { pid } of left.processes) killProcess(pid)
  throw new Error(`${what}:\n  ${describe(left)}`)
}
