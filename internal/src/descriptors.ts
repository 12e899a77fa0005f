/**
 * The descriptors that this process has open, to be compared before and after a test.
 *
 * Linux only: `/proc/self/fd` names each with what it stands for. The descriptor by which the
 * directory itself is read is gone again when its name is looked up, and is left out.
 *
 * @module
 */
import { readdirSync, readlinkSync } from 'node:fs'

const directory = '/proc/self/fd'

/** Returns what each open descriptor of this process stands for, by its number. */
export function openDescriptors(): Map<number, string> {
  const open = new Map<number, string>()
  for (const name of readdirSync(directory)) {
    const target = targetOf(name)
    if (target !== null) open.set(Number(name), target)
  }
  return open
}

function targetOf(name: string): string | null {
  try {
    return readlinkSync(`${directory}/${name}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
