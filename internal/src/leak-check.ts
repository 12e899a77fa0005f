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
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aroundAll, aroundEach } from 'vitest'
import { type Picture, Watch, describe } from './leftovers.js'
import { killProcess } from './processes.js'

const SHARED = '/dev/shm'

/** How long it may take until everything is gone, in milliseconds. */
const GRACE_MS = Number(process.env['MP_LEAK_GRACE'] ?? 5_000)

// Children inherit all of it: a mark to be found by, and folders of our own for temporary files and blocks of memory.
const mark = { name: 'MP_TEST_FILE', value: `${process.pid}-${Date.now()}` }
const temporary = mkdtempSync(join(tmpdir(), 'mp-test-'))
const blocks = existsSync(SHARED) ? mkdtempSync(join(SHARED, 'mp-test-')) : temporary
const folders = [...new Set([temporary, blocks])]
process.once('exit', removeFolders)
process.env[mark.name] = mark.value
process.env['TMPDIR'] = temporary
process.env['MP_SHARED_MEMORY_DIR'] = blocks

let watch: Watch

aroundAll(async (runTests) => {
  // The first child of a process leaves it with a pipe for signals, for good.
  await once(spawn('true', { stdio: 'ignore' }), 'close')
  watch = new Watch({ mark, folders })
  const before = watch.take()
  try {
    await runTests()
    await check('These tests leave behind', before)
  } finally {
    removeFolders()
  }
})

aroundEach(async (runTest) => {
  const before = watch.take()
  await runTest()
  await check('This test leaves behind', before)
})

/** Also when no test of the file runs, or this process is told to go. */
function removeFolders(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
}

async function check(what: string, before: Picture): Promise<void> {
  const left = await watch.leftSince(before, GRACE_MS)
  if (left === null) return
  // Those after it are not to suffer.
  for (const { pid } of left.processes) killProcess(pid)
  throw new Error(`${what}:\n  ${describe(left)}`)
}
