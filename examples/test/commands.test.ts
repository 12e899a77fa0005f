/**
 * What texts and workflows tell people and machines to run is there. (The blocks of docs/ are in `docs.test.ts`.)
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}
/** Of pnpm itself, and programs that it finds in node_modules. */
const OTHERS = new Set(['install', 'pack', 'exec', 'vitest', 'changeset'])
const files = execFileSync('git', ['ls-files', '*.md', '.github', '.ci/run'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((path) => !path.startsWith('.changeset/') && existsSync(join(root, path)))

test('every script of pnpm that is named exists', () => {
  const named = files.flatMap((path) =>
    textOf(path)
      .split('\n')
      .flatMap((line) =>
        [...line.matchAll(/\bpnpm(?:@[\d.]+)? (?:run )?([a-z][\w:-]*)/g)]
          .filter(({ index }) => !path.endsWith('.md') || isCode(line.slice(0, index)))
          .map(([, name]) => ({ path, name })),
      ),
  )
  expect(named.length).toBeGreaterThan(40)
  const unknown = named.filter(({ name }) => !(name in scripts) && !OTHERS.has(name))
  expect(unknown).toEqual([])
})

test('every program that is started by its path exists', () => {
  const missing = files.flatMap((path) =>
    [...textOf(path).matchAll(/\bnode ((?:scripts|website|benchmarks|reliability)\/[\w./-]+)/g)]
      .map((match) => match[1])
      .filter((program) => !program.includes('/dist/'))
      // Some are named from the folder of their package.
      .filter(
        (program) =>
          !existsSync(join(root, program)) &&
          !existsSync(join(root, 'packages/shared-memory', program)),
      )
      .map((program) => `${path}: node ${program}`),
  )
  expect(missing).toEqual([])
})

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** Whether what follows this in a line of Markdown is in backticks, or the line a command: in a sentence other words follow. */
function isCode(before: string): boolean {
  return (before.match(/`/g)?.length ?? 0) % 2 === 1 || /^(npx --yes )?$/.test(before)
}
