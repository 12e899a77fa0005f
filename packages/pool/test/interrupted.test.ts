/**
 * Ctrl-C in a program that has a pool: whatever it waits for, all of it ends, and says one line.
 */
import { isBareRun } from 'mp-internal'
import { expect, test } from 'vitest'
import { Program } from '../../process/test/run-program.js'

const LINE = 'MainProcess was interrupted (SIGINT): it and its children end\n'

const fixture = new URL('fixtures/interrupted.mjs', import.meta.url)

// The line is written by the addon.
test.skipIf(isBareRun).each([
  ['awaits map', 'spawn', 3],
  ['awaits map', 'forkserver', 4],
  ['awaits map', 'thread', 1],
  ['blocks in applySync', 'spawn', 3],
  ['blocks in mapSync', 'forkserver', 4],
  ['goes through imap', 'forkserver', 4],
  ['has nothing to do', 'spawn', 3],
  ['awaits pools of its workers', 'forkserver', 8],
  ['awaits an executor', 'forkserver', 4],
])('Ctrl-C ends a program that %s (%s) within a second', async (way, method, processes) => {
  const program = new Program(fixture, { args: [way, method], detached: true })
  await program.untilOutput('ready')
  expect(program.processes()).toHaveLength(processes)
  // What a terminal sends to all of the program.
  process.kill(-(program.child.pid as number), 'SIGINT')
  expect(await program.survivors(1_000)).toEqual([])
  expect(await program.end()).toMatchObject({ code: null, signal: 'SIGINT', stderr: LINE })
})
