/**
 * Checks the format of a TypeScript project with Prettier, file by file, on all CPUs.
 *
 *     npx tsx format.ts [folder]
 *
 * Prettier is loaded in the workers alone, once in each. A file that it cannot read is an error of its own task.
 */
import { Pool } from '@mp/multiprocessing'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [folder = fileURLToPath(new URL('../packages/pool/src', import.meta.url))] =
  process.argv.slice(2)

async function isFormatted(path: string): Promise<boolean> {
  const prettier = await import('prettier')
  const source = await readFile(path, 'utf8')
  return prettier.check(source, {
    filepath: path,
    semi: false,
    singleQuote: true,
    printWidth: 100,
  })
}

const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.[cm]?ts$/.test(path) && !path.includes('node_modules'))
  .sort()

await using pool = new Pool()
const results = await Promise.all(
  paths.map((path) =>
    pool.apply(isFormatted, [join(folder, path)]).catch((error: unknown) => String(error)),
  ),
)
for (const [i, result] of results.entries()) {
  if (typeof result === 'string') console.log(`${paths[i]}: ${result.split('\n')[0]}`)
  else if (!result) console.log(`${paths[i]}: not formatted`)
}
const well = results.filter((result) => result === true).length
console.log(`${well} of ${paths.length} files are formatted`)
process.exitCode = well === paths.length ? 0 : 1
