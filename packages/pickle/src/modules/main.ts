/**
 * The main module: never referred to, since importing it would run the program again.
 *
 * @module
 */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

let mainUrls: Set<string> | undefined

/** True for the file that the program was started with. */
export function isMainModule(url: string): boolean {
  return mainModules().has(url)
}

/** URLs of that file: as it was named, and as it is called. */
export function mainModules(): ReadonlySet<string> {
  return (mainUrls ??= findMain())
}

function findMain(): Set<string> {
  const found = new Set<string>()
  const { main } = createRequire(import.meta.url)
  const files = [process.argv[1], main?.filename]
  for (const file of files) {
    if (!file) continue
    found.add(pathToFileURL(file).href)
    try {
      found.add(pathToFileURL(realpathSync(file)).href)
    } catch {
      // `-e`, a name without its extension, or no permission to look: the other candidates stand.
    }
  }
  return found
}
