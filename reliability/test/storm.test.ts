/** A short storm; the gate has a longer one as a step of its own. */
import { Program } from 'mp-internal'
import { expect, test } from 'vitest'
import { program, seed } from './programs.js'

test('processes and threads that are killed, stopped and ended at random harm nobody else', async () => {
  const args = [program('storm'), '--seconds', '10', '--seed', `${seed}`]
  const { code, stdout, stderr } = await new Program(process.execPath, {
    args,
    timeoutMs: 29_000,
  }).end()
  const said = stdout.replaceAll(/^\d+ s: .*$\n/gm, '')
  expect({ code, stderr, said }).toEqual({
    code: 0,
    stderr: '',
    said: expect.stringContaining('all is well'),
  })
  expect(said).not.toContain('PROBLEM')
})
