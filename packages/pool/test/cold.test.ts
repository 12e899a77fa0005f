/**
 * The first moments of a pool of forks: their server loads its modules while its user does something else.
 */
import { isBareRun } from 'mp-internal'
import { expect, test } from 'vitest'
import { report } from '../../process/test/run-program.js'

const fixture = new URL('fixtures/cold.mjs', import.meta.url)

// The server of each loads a module that ends when the program goes on after `new Pool()`.
test.skipIf(isBareRun).each<[string, string, unknown]>([
  ['workers start without a task, once the server has loaded', 'waits', [0, 1]],
  ['a task runs though its giver blocks', 'blocks', ['from a worker', null]],
  [
    'who looks at the workers sees all of them',
    'looks',
    [
      ['number', 'Cold-1'],
      ['number', 'Cold-2'],
    ],
  ],
  ['a server that is killed meanwhile is replaced', 'survives', 1],
  ['a pool that ends before it has workers gets none', 'ends', [0, 0]],
])('a pool is made without waiting for its fork server: %s', async (_, way, outcome) => {
  expect(await report(fixture, { args: [way] })).toEqual({ isLoaded: false, outcome })
})
