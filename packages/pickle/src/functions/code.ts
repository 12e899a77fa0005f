/**
 * The source of a function as it travels: made over so that it can be evaluated alone.
 *
 * The receiver compiles `body` as a function of `params` and calls it; it returns the function
 * and a setter for the captured variables, which are `var`s around the function. So functions
 * that capture each other can be made first and joined after.
 *
 * @module
 */
import type { AnyNode } from 'acorn'
import { hashOf } from './hash.js'
import type { ImportSource, Reference } from './scopes.js'
import { codeMapOf, type CodeMap } from './source-map.js'
import { IMPORT, META } from './supplied-names.js'
import type { Unit } from './units.js'
import { isClassNode, type FunctionNode } from './walk-state.js'
import { lowerBound, startOfMark, within } from './within.js'

/** Names that are only used within a body. */
const METHOD = '$mp_method'
const CELL = '$mp_cell_'

/** Code of one function or class, without the values it captured. */
export interface Code {
  /** Hash of everything else here. */
  readonly hash: string
  /** URL of the file it stands in; relative imports are relative to it. */
  readonly url: string
  /** Where the function begins in the file, and in the body. */
  readonly line: number
  readonly column: number
  readonly prefixLength: number
  /** Original lines, relative to where the function begins. */
  readonly map: CodeMap | undefined
  readonly body: string
  /** What must be there when it is evaluated: captured variables, then what `supplied-names.ts` lists. */
  readonly eager: readonly string[]
  readonly supplied: readonly string[]
  /** Captured variables that are set afterwards. */
  readonly lazy: readonly string[]
  /** Which captured variables are imports, for when the function is sent on from the receiver. */
  readonly sources: Readonly<Record<string, ImportSource>>
  readonly isClass: boolean
  /** The name it has without further ado. */
  readonly naturalName: string
}

/** The name by which code refers to the cell of an assigned variable. */
export function cellName(variable: string): string {
  return CELL + variable
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** What a function's code is made from. */
export interface CodeParts {
  readonly unit: Unit
  readonly fn: FunctionNode
  readonly url: string
  /** Free references that are not to globals, with what is cut out left out. */
  readonly references: readonly Reference[]
  /** Variables reached through a cell. */
  readonly cells: ReadonlySet<string>
  readonly eager: readonly string[]
  readonly lazy: readonly string[]
  readonly supplied: readonly string[]
  readonly cuts: readonly Edit[]
  readonly sources: Readonly<Record<string, ImportSource>>
}

export function makeCode(parts: CodeParts): Code {
  const { unit, fn, eager, lazy, supplied, url, sources } = parts
  const { node } = fn
  const edits = editsOf(parts)
  const { text, positionOf } = applyEdits(unit.source, node.start, node.end, edits)
  const [before, after] = wrapping(fn)
  const names = lazy.length > 0 ? `var ${lazy.join(',')};` : ''
  const prefix = `${fn.strict ? '"use strict";' : ''}${names}${before}`
  const setter = lazy.map((name, index) => `${name}=$mp_v[${index}];`).join('')
  const body = `${prefix}${text}${after},function($mp_v){${setter}}]`
  const { line, column } = placeOf(unit, node.start)
  const code = {
    url,
    line,
    column,
    prefixLength: prefix.length,
    map: codeMapOf(unit, node, placesIn(text, positionOf)),
    body,
    eager,
    supplied,
    lazy,
    sources,
    isClass: isClassNode(node),
    naturalName: naturalNameOf(fn),
  }
  return { hash: hashOf(JSON.stringify(code)), ...code }
}

function isMethod({ node, parent }: FunctionNode): boolean {
  return (
    node.type === 'FunctionExpression' &&
    ((parent.type === 'MethodDefinition' && parent.value === node) ||
      (parent.type === 'Property' &&
        parent.value === node &&
        (parent.method || parent.kind !== 'init')))
  )
}

function naturalNameOf(fn: FunctionNode): string {
  if (isMethod(fn)) return METHOD
  const { node } = fn
  return 'id' in node && node.id && 'name' in node.id ? node.id.name : ''
}

/** What stands around the text so that it is a list beginning with the function. */
function wrapping(fn: FunctionNode): [string, string] {
  const { node } = fn
  if (isMethod(fn)) {
    const { async, generator } = node as Extract<AnyNode, { type: 'FunctionExpression' }>
    return [`return[({${async ? 'async ' : ''}${generator ? '*' : ''}${METHOD}`, `}).${METHOD}`]
  }
  // A declaration's own name is an outer variable, which may have been assigned: keep it one.
  if (node.type === 'FunctionDeclaration' && node.id) return ['', `return[${node.id.name}`]
  return ['return[(', ')']
}

function editsOf({ unit, fn, references, cells, cuts }: CodeParts): Edit[] {
  const edits: Edit[] = [...cuts]
  const { metas, imports } = unit.analysis
  for (const mark of within(metas, fn.node, startOfMark)) edits.push({ ...mark, text: META })
  for (const mark of within(imports, fn.node, startOfMark)) edits.push({ ...mark, text: IMPORT })
  for (const reference of references) {
    if (!cells.has(reference.name)) continue
    const value = `${cellName(reference.name)}.value`
    const text = reference.shorthand
      ? `${reference.name}:${value}`
      : reference.called
        ? `(0,${value})`
        : value
    edits.push({ start: reference.start, end: reference.end, text })
  }
  return edits
}

/** @returns the new text, and where in it a position of the old one is. */
function applyEdits(
  source: string,
  start: number,
  end: number,
  edits: Edit[],
): { text: string; positionOf: (offset: number) => number } {
  edits.sort((a, b) => a.start - b.start)
  let text = ''
  let position = start
  const applied: { end: number; shift: number }[] = [{ end: start, shift: -start }]
  for (const edit of edits) {
    // An edit within a cut goes with it.
    if (edit.start < position) continue
    text += source.slice(position, edit.start) + edit.text
    position = edit.end
    applied.push({ end: position, shift: text.length - position })
  }
  text += source.slice(position, end)
  const positionOf = (offset: number): number => {
    const before = applied.findLast((edit) => edit.end <= offset)
    return offset + (before ?? applied[0]).shift
  }
  return { text, positionOf }
}

/** @returns what gives line and column in the new text for positions of the old one, fast when these are asked for in their order. */
function placesIn(
  text: string,
  positionOf: (offset: number) => number,
): (offset: number) => { line: number; column: number } {
  let line = 0
  let start = 0
  return (offset) => {
    const position = positionOf(offset)
    // A place within what was cut out has none of its own, and may be taken for a later one.
    if (position < start) line = start = 0
    for (let end; (end = text.indexOf('\n', start)) !== -1 && end < position; start = end + 1)
      line++
    return { line, column: position - start }
  }
}

function placeOf({ lineStarts, script }: Unit, offset: number): { line: number; column: number } {
  const index = lowerBound(lineStarts, offset + 1, Number) - 1
  const column = offset - lineStarts[index] + (index === 0 ? script.startColumn : 0)
  return { line: script.startLine + index, column }
}
