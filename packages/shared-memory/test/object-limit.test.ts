/** The setting of how many shared objects there can be. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

function say(program: string, setting: string, ...args: string[]): string {
  return execFileSync(process.execPath, [program, ...args].filter(Boolean), {
    encoding: 'utf8',
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: { ...process.env, MP_MEMORY_LIMIT: `${64 * 1024 * 1024}`, MP_MAX_OBJECTS: setting },
  }).trim()
}

test.each(['1024', '5000', '400000'])('MP_MAX_OBJECTS=%s is the limit of objects', (setting) => {
  const made = say('fixtures/core.mjs', setting, 'fillDirectory')
  expect(made).toBe(`${setting} ERR_MP_OUT_OF_MEMORY true`)
})

test.each(['1000', '1048577', '5000.5', 'many', ''])('MP_MAX_OBJECTS=%j is refused', (setting) => {
  const program = "import('@mp/shared-memory').catch((error) => console.log(error.message))"
  expect(say('', setting, '--input-type=module', '-e', program)).toBe(
    `Expected \`MP_MAX_OBJECTS\` to be an integer from 1,024 to 1,048,576, got \`${setting}\``,
  )
})
