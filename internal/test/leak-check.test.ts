import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from 'mp-internal'
import { expect, test } from 'vitest'

const vitest = join(
  dirname(createRequire(import.meta.url).resolve('vitest/package.json')),
  'vitest.mjs',
)
const config = fileURLToPath(new URL('fixtures/vitest.config.ts', import.meta.url))

interface Report {
  testResults: {
    message: string
    assertionResults: { title: string; status: string; failureMessages: string[] }[]
  }[]
}

test('a test that leaves something behind fails and says what; its neighbours pass', async () => {
  const args = [vitest, 'run', '--config', config, '--configLoader', 'runner', '--reporter', 'json']
  const env = { MP_LEAK_GRACE: '200' }
  const { code, stdout } = await runProgram(process.execPath, { args, env })
  expect(code).toBe(1)
  const [file] = (JSON.parse(stdout) as Report).testResults
  const messages = Object.fromEntries(
    file.assertionResults.map(({ title, failureMessages }) => [title, failureMessages.join()]),
  )
  expect(messages).toEqual({
    tidy: '',
    process: expect.stringMatching(/This test leaves behind:\s+process \d+ \(S\) sleep 60/),
    file: expect.stringMatching(/This test leaves behind:\s+\S+\/left/),
    descriptor: expect.stringMatching(/This test leaves behind:\s+descriptor of \/dev\/zero/),
    'tidy after the others': '',
  })
  // What is still there at the end fails the file.
  expect(file.message).toMatch(/These tests leave behind:\s+\S+\/left\s+descriptor of \/dev\/zero/)
})
