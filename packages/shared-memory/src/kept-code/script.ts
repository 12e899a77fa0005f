/**
 * A script that is run as V8 has compiled it for another process.
 *
 * @module
 */
import { readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { Script } from 'node:vm'

/** What is compiled, and where what comes of it is kept. */
export interface Source {
  readonly text: string
  /** What the text was read from. */
  readonly bytes: Buffer
  readonly filename: string
  /** Path of what is kept; empty for nowhere. */
  readonly keptAt: string
}

/** For how long what others have kept stays although V8 does not take it here: machines that differ may share a home. */
const STAYS_MS = 600_000

export class KeptScript {
  readonly script: Script
  /** Whether it is to be kept: it may be, and has been compiled here. */
  readonly isNew: boolean
  readonly #source: Source
  /** What is kept was made of another source: of what was there before this version of a package, say. */
  readonly #isOfOther: boolean

  constructor(source: Source) {
    const { text, filename, keptAt } = source
    const { data: cachedData, isOfOther } = keptAt === '' ? NOTHING : keptCode(source)
    this.script = new Script(text, { filename, cachedData })
    const isTaken = cachedData !== undefined && this.script.cachedDataRejected !== true
    this.isNew = keptAt !== '' && !isTaken
    this.#source = source
    this.#isOfOther = isOfOther
  }

  /** Keeps what it is compiled to, if nobody else has. Does not throw. */
  keep(compiled: () => Buffer): void {
    const { bytes, keptAt: place } = this.#source
    const temporary = `${place}.${process.pid}.${Math.random().toString(36).slice(2)}`
    try {
      const known = statSync(place, { throwIfNoEntry: false })
      const isFresh = known !== undefined && Date.now() - known.mtimeMs < STAYS_MS
      if (isFresh && !this.#isOfOther) return
      const data = compiled()
      writeFileSync(temporary, Buffer.concat([data, data, bytes]), { flag: 'wx', mode: 0o600 })
      // CRASH: until here there is a file that nobody reads. Of several that keep theirs at once, any may be the last.
      renameSync(temporary, place)
    } catch {
      // No permission, no room, or no memory: others go on without, which is only slower.
      discard(temporary)
    }
  }

  /** Keeps every function of it: who takes that need not compile any, whatever it does. */
  keepWhole(): void {
    this.keep(() => this.#compileWhole().createCachedData())
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

/**
 * V8 takes what was compiled by its own version, with the same flags, from a source of the same length, and looks no
 * further: it crashes when the data are damaged. So they are there twice, and the source with them: to compare is faster
 * than to make a sum.
 */
function keptCode({ bytes, keptAt }: Source): Kept {
  try {
    const all = readFileSync(keptAt)
    const end = all.length - bytes.length
    if (end < 0 || !all.subarray(end).equals(bytes)) return { data: undefined, isOfOther: true }
    const half = end >> 1
    const data = all.subarray(0, half)
    return { data: data.equals(all.subarray(half, end)) ? data : undefined, isOfOther: false }
  } catch {
    // Not there yet, or not to be read.
    return NOTHING
  }
}

function discard(file: string): void {
  try {
    unlinkSync(file)
  } catch {
    // It was never there, or nobody may remove it.
  }
}
