/**
 * Source maps of travelling code, so that its stacks name lines of the TypeScript it was.
 *
 * A compiled script carries a map of all of it; a function takes along what concerns its own
 * lines. The receiver has the map registered under a name of its own (`revive.ts`), since the
 * script's name belongs to the script. Format: ECMA-426, "Source Map".
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import type { Unit } from './units.js'
import { within } from './within.js'

/** A map as it travels: of one source, its lines relative to the beginning of the code. */
export interface CodeMap {
  /** Path or URL. */
  readonly source: string
  readonly mappings: string
}

/** Where an original line begins in the compiled script. */
interface Segment {
  /** Offset in the compiled script. */
  readonly at: number
  readonly source: string
  readonly line: number
  readonly column: number
}

const segmentsByUnit: WeakMap<Unit, readonly Segment[]> = new WeakMap()

/**
 * Cuts out the part of a script's map that concerns a function.
 *
 * @param place gives line and column in the code for an offset in the script, asked for in their order.
 */
export function codeMapOf(
  unit: Unit,
  range: { start: number; end: number },
  place: (offset: number) => { line: number; column: number },
): CodeMap | undefined {
  let segments = segmentsByUnit.get(unit)
  if (segments === undefined) segmentsByUnit.set(unit, (segments = readSegments(unit)))
  const inside = within(segments, range, ({ at }) => at)
  if (inside.length === 0) return undefined
  const [{ source }] = inside
  let mappings = ''
  let last = { line: 0, column: 0, original: { line: 0, column: 0 } }
  let previous = -1
  for (const segment of inside) {
    // One entry for every change of line is enough to find it, and a tenth of the size.
    if (segment.source !== source || segment.line === previous) continue
    const { line, column } = place(segment.at)
    if (line > last.line) {
      mappings += ';'.repeat(line - last.line)
      last = { ...last, line, column: 0 }
    } else if (previous !== -1) {
      mappings += ','
    }
    mappings +=
      encode(column - last.column) +
      encode(0) +
      encode(segment.line - last.original.line) +
      encode(segment.column - last.original.column)
    last = { line, column, original: segment }
    previous = segment.line
  }
  return { source, mappings }
}

function readSegments(unit: Unit): Segment[] {
  const map = readMap(unit)
  if (map === undefined) return []
  const names = map.sources.map((_, index) => nameOf(map, index, unit.script.url))
  const mappings = new Mappings(map.mappings)
  const segments: Segment[] = []
  let source = 0
  let line = 0
  let column = 0
  for (const lineStart of unit.lineStarts) {
    let at = lineStart
    do {
      if (!mappings.hasNumber) continue
      at += mappings.number()
      // Of no source: made by the compiler.
      if (!mappings.hasNumber) continue
      source += mappings.number()
      line += mappings.number()
      column += mappings.number()
      segments.push({ at, source: names[source], line, column })
      while (mappings.hasNumber) mappings.number()
    } while (mappings.passes(','))
    if (!mappings.passes(';')) break
  }
  return segments
}

interface RawMap {
  readonly sources: readonly (string | null)[]
  readonly sourceRoot?: string
  readonly mappings: string
}

const COMMENT = '\n//# sourceMappingURL='

function readMap({ source, script }: Unit): RawMap | undefined {
  const comment = source.lastIndexOf(COMMENT)
  if (comment === -1) return undefined
  const [url] = source.slice(comment + COMMENT.length).split(/\s/, 1)
  const data = /^data:application\/json[^,]*;base64,/.exec(url)
  const text = data
    ? Buffer.from(url.slice(data[0].length), 'base64').toString()
    : readIfThere(url, script.url)
  if (text === undefined) return undefined
  const map = JSON.parse(text) as Partial<RawMap>
  // Maps of maps are not made by any compiler of JavaScript; there are no stack lines without them.
  return map.mappings === undefined ? undefined : (map as RawMap)
}

function readIfThere(url: string, base: string): string | undefined {
  if (!base.startsWith('file:')) return undefined
  try {
    return readFileSync(new URL(url, base), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function nameOf({ sources, sourceRoot = '' }: RawMap, index: number, base: string): string {
  const name = sourceRoot + (sources[index] ?? '')
  return name.startsWith('/') || !base.startsWith('file:') ? name : new URL(name, base).href
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 VLQ: five bits a digit, the sixth says that more follow, the lowest is the sign. */
function encode(value: number): string {
  let rest = value < 0 ? -value * 2 + 1 : value * 2
  let text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += DIGITS[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return text
}

const VALUES = new Uint8Array(128)
for (let i = 0; i < DIGITS.length; i++) VALUES[DIGITS.charCodeAt(i)] = i

/** A place in the mappings of a map, which may be long: nothing is made of it but numbers. */
class Mappings {
  readonly #text: string
  #position = 0

  constructor(text: string) {
    this.#text = text
  }

  /** Whether the segment has another number. */
  get hasNumber(): boolean {
    const character = this.#text[this.#position] as string | undefined
    return character !== undefined && character !== ',' && character !== ';'
  }

  number(): number {
    let value = 0
    for (let shift = 0; this.hasNumber; shift += 5) {
      const digit = VALUES[this.#text.charCodeAt(this.#position++) & 127]
      value |= (digit & 31) << shift
      if ((digit & 32) === 0) break
    }
    return (value & 1) === 1 ? -(value >>> 1) : value >>> 1
  }

  /** Steps over a separator, if it is the next. */
  passes(separator: ',' | ';'): boolean {
    if (this.#text[this.#position] !== separator) return false
    this.#position++
    return true
  }
}
