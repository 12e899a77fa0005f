/**
 * What a test leaves behind: processes, files, descriptors.
 *
 * Compared with a picture of before, and again and again until a deadline: a process takes a
 * moment to end, a descriptor to be closed.
 *
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { becomes } from './deadline.js'
import { openDescriptors } from './descriptors.js'
import { type FoundProcess, type Mark, ours } from './processes.js'

/** Where a test's processes and files are found. */
export interface Surroundings {
  readonly mark: Mark
  /** Folders that belong to the test alone: whatever is in them is its. */
  readonly folders: readonly string[]
}

/** How it was before. */
export interface Picture {
  readonly pids: ReadonlySet<number>
  readonly files: ReadonlySet<string>
  /** How many descriptors stand for what. */
  readonly descriptors: ReadonlyMap<string, number>
}

export interface Leftovers {
  readonly processes: readonly FoundProcess[]
  readonly files: readonly string[]
  readonly descriptors: readonly string[]
}

/** Where blocks of memory are that have a name, when nobody says where; other tests have theirs here, too. */
const NAMED_BLOCKS = `/dev/shm/mp-${process.geteuid?.()}`

/** Caches of Node and tsx, which they keep in the directory for temporary files. */
const CACHES = /^(node-compile-cache|tsx-\d+)$/

/**
 * Descriptors that a process gets once and keeps, with how many of each: the session's memory and
 * its locks, and what hears of deaths (`native/linux-segment.c`, `native/linux-watch.c`).
 */
const KEPT: Readonly<Record<string, number>> = {
  '/memfd:mp-session (deleted)': 2,
  'anon_inode:[eventpoll]': 1,
}

/** Compares with before, for one process and its life. */
export class Watch {
  readonly #surroundings: Surroundings
  /** What this process had when the watch began: nothing of the session. */
  readonly #first: Picture

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
    this.#first = this.take()
  }

  /** Takes a picture of how it is now. */
  take(): Picture {
    return {
      pids: new Set(this.#processes().map(({ pid }) => pid)),
      files: new Set(this.#files()),
      descriptors: count(openDescriptors().values()),
    }
  }

  /** Finds what there is now and was not there before; waits up to `graceMs` for it to go. */
  async leftSince(before: Picture, graceMs: number): Promise<Leftovers | null> {
    let left = this.#since(before)
    const isNothing = (): boolean => isEmpty(left) || isEmpty((left = this.#since(before)))
    return (await becomes(isNothing, graceMs)) ? null : left
  }

  #since(before: Picture): Leftovers {
    return {
      processes: this.#processes().filter(({ pid }) => !before.pids.has(pid)),
      files: this.#files().filter((file) => !before.files.has(file)),
      descriptors: [...count(openDescriptors().values())].flatMap(([target, now]) => {
        const most = Math.max(before.descriptors.get(target) ?? 0, this.#kept(target))
        return now > most ? [`${target} (${now}, was ${before.descriptors.get(target) ?? 0})`] : []
      }),
    }
  }

  /** How many of these a process may have after all it does once. */
  #kept(target: string): number {
    return (this.#first.descriptors.get(target) ?? 0) + (KEPT[target] ?? 0)
  }

  #processes(): FoundProcess[] {
    return ours(this.#surroundings.mark)
  }

  #files(): string[] {
    return [...this.#surroundings.folders, NAMED_BLOCKS].flatMap((folder) => {
      if (!existsSync(folder)) return []
      return readdirSync(folder)
        .filter((name) => !CACHES.test(name))
        .map((name) => join(folder, name))
    })
  }
}

/** Says it in a sentence. */
export function describe({ processes, files, descriptors }: Leftovers): string {
  return [
    ...processes.map(({ pid, state, command }) => `process ${pid} (${state}) ${command}`),
    ...files,
    ...descriptors.map((descriptor) => `descriptor of ${descriptor}`),
  ].join('\n  ')
}

function isEmpty({ processes, files, descriptors }: Leftovers): boolean {
  return processes.length + files.length + descriptors.length === 0
}

function count(targets: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>()
  for (const target of targets) counts.set(target, (counts.get(target) ?? 0) + 1)
  return counts
}
