/**
 * Folders for all that a run of the tests writes, removed after it.
 *
 * vitest runs `setup()` once, before it starts the processes of the tests; these inherit where
 * the folders are. It ends them by SIGTERM, so they cannot be trusted to clean up.
 *
 * @module
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

const VARIABLE = 'MP_TEST_FOLDERS'

/** Makes the folders; returns what removes them. */
export function setup(): () => void {
  const folders = makeFolders()
  process.env[VARIABLE] = folders.join(delimiter)
  return () => {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  }
}

/** Makes folders of its own for one file of tests: for temporary files, and for blocks of shared memory. */
export function makeFolders(): [temporary: string, blocks: string] {
  const [temporary = tmpdir(), blocks = '/dev/shm'] = process.env[VARIABLE]?.split(delimiter) ?? []
  return [make(temporary), make(existsSync(blocks) ? blocks : temporary)]
}

function make(folder: string): string {
  return mkdtempSync(join(folder, 'mp-test-'))
}
