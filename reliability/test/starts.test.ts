/** Many processes that are started at once all end well. `CHILDREN=500` is the long form. */
import { Program } from 'mp-internal'
import { expect, test } from 'vitest'
import { program } from './programs.js'

const children = Number(process.env['CHILDREN'] ?? 60)

test(
  `${children} processes live at the same time, and each tells its exit code`,
  async () => {
    const { code, stdout, stderr } = await new Program(process.execPath, {
      args: [program('starts'), '--children', String(children), '--method', 'forkserver'],
      timeoutMs: 25_000 + 500 * children,
    }).end()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(`well forkserver: ${children} started`)
  },
  30_000 + 500 * children,
)
