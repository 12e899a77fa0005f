/** Where the programs of this workspace are, and the seed of this run. */
import { chooseSeed } from 'mp-internal'
import { fileURLToPath } from 'node:url'

export const seed: number = chooseSeed()

/** The main program of a part. */
export function program(part: 'storm' | 'pool-storm' | 'crashes' | 'leftovers' | 'starts'): string {
  return fileURLToPath(new URL(`../dist/${part}/main.js`, import.meta.url))
}
