/**
 * Runs the programs of a page one after the other in this process, which is quicker than a process for each.
 *
 * After each, when its children have ended, a line goes to stdout and stderr, so that the reader knows whose the output was.
 */
import { activeChildren } from '@mp/multiprocessing'
import { writeSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [mark, ...paths] = process.argv.slice(2)

for (const path of paths) {
  await import(pathToFileURL(path).href)
  for (const child of activeChildren()) {
    if (child.daemon) child.terminate()
    await child.join()
  }
  for (const fd of [1, 2]) writeSync(fd, `${mark}\n`)
}
