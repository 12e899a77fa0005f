/**
 * A script that is run as V8 has compiled it for another process.
 *
 * @module
 */
import { readFileSync, readdirSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Script } from 'node:vm'
import { hashOf } from './place.js'

/** What is compiled, and where what comes of it is kept. */
export interface Source {
  readonly text: string
  /** What the text was read from. */
  readonly bytes: Buffer
  readonly filename: string
  /** Path of what is kept, but for what this adds for the place of the script; empty for nowhere. */
  readonly keptAt: string
}

/** For how long what others have kept stays although V8 does not take it here: machines that differ may share a home. */
const STAYS_MS = 600_000

/** What is unread for so long is removed: that of versions and of places that are gone. */
const UNREAD_MS = 30 * 86_400_000

/** How the names of our files end: the directory may be one that has others, too. */
const SUFFIX = '.mp-code'

export class KeptScript {
  readonly script: Script
  /** Whether it is to be kept: it may be, and has been compiled here. */
  readonly isNew: boolean
  readonly #source: Source
  readonly #place: string
  /** What is kept was made of another source: of what was there before this version of a package, say. */
  readonly #isOfOther: boolean

  constructor(source: Source) {
    const { text, filename, keptAt } = source
    // V8 of Node 20 believes the data about where the script is: in stacks, and where functions are from.
    this.#place = keptAt && `${keptAt}-${hashOf(filename)}${SUFFIX}`
    this.#source = source
    const { data: cachedData, isOfOther } = keptAt === '' ? NOTHING : this.#read()
    this.script = new Script(text, { filename, cachedData })
    const isTaken = cachedData !== undefined && this.script.cachedDataRejected !== true
    this.isNew = keptAt !== '' && !isTaken
    this.#isOfOther = isOfOther
  }

  /** Keeps what it is compiled to, if nobody else has. Does not throw. */
  keep(compiled: () => Buffer): void {
    const { bytes, filename } = this.#source
    const place = this.#place
    const temporary = `${place}.${process.pid}.${Math.random().toString(36).slice(2)}${SUFFIX}`
    try {
      const known = statSync(place, { throwIfNoEntry: false })
      const isFresh = known !== undefined && Date.now() - known.mtimeMs < STAYS_MS
      if (isFresh && !this.#isOfOther) return
      const data = compiled()
      const all = Buffer.concat([data, data, bytes, Buffer.from(filename)])
      writeFileSync(temporary, all, { flag: 'wx', mode: 0o600 })
      // CRASH: until here there is a file that nobody reads. Of several that keep theirs at once, any may be the last.
      renameSync(temporary, place)
      discardUnread(dirname(place))
    } catch {
      // No permission, no room, or no memory: others go on without, which is only slower.
      discard(temporary)
    }
  }

  /** Keeps every function of it: who takes that need not compile any, whatever it does. */
  keepWhole(): void {
    this.keep(() => this.#compileWhole().createCachedData())
  }

  /**
   * V8 takes what was compiled by its own version, with the same flags, from a source of the same length, and looks no
   * further: it crashes when the data are damaged. So they are there twice, and with them the source and its place: to
   * compare is faster than to make a sum.
   */
  #read(): Kept {
    try {
      const { bytes, filename } = this.#source
      const all = readFileSync(this.#place)
      const name = Buffer.from(filename)
      const nameAt = all.length - name.length
      const sourceAt = nameAt - bytes.length
      if (sourceAt < 0 || !all.subarray(nameAt).equals(name)) return OF_OTHER
      if (!all.subarray(sourceAt, nameAt).equals(bytes)) return OF_OTHER
      const half = sourceAt >> 1
      const data = all.subarray(0, half)
      const isWhole = data.equals(all.subarray(half, sourceAt))
      return { data: isWhole ? data : undefined, isOfOther: false }
    } catch {
      // Not there yet, or not to be read.
      return NOTHING
    }
  }

  #compileWhole(): Script {
    const { text, filename } = this.#source
    const { setFlagsFromString } = process.getBuiltinModule('node:v8')
    setFlagsFromString('--no-lazy')
    try {
      // Another text of the same length, or V8 would give what it has.
      return new Script(`${text.slice(0, -1)} `, { filename })
    } finally {
      setFlagsFromString('--lazy')
    }
  }
}

interface Kept {
  readonly data: Buffer | undefined
  readonly isOfOther: boolean
}

const NOTHING: Kept = { data: undefined, isOfOther: false }
const OF_OTHER: Kept = { data: undefined, isOfOther: true }

/** Where file systems do not note when a file is read, what is in use is made anew then, which is as well. */
function discardUnread(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.endsWith(SUFFIX)) continue
    const file = join(directory, name)
    // Somebody else may have removed it.
    const unread = Date.now() - (statSync(file, { throwIfNoEntry: false })?.atimeMs ?? Infinity)
    if (unread > UNREAD_MS) discard(file)
  }
}

function discard(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // It was never there, or nobody may remove it.
  }
}
