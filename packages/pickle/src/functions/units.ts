/**
 * Scripts, parsed and analysed once, and where in them a function stands.
 *
 * @module
 */
import type { AnyNode, Program } from 'acorn'
import { analyse, type Analysis } from './analysis.js'
import { sourceOf, type Location } from './inspector.js'
import { parser } from './parser.js'
import { codeOfSource } from './registry.js'
import type { ImportSource } from './scopes.js'
import type { Script } from './scripts.js'
import { Unsendable } from './unsendable-error.js'
import type { FunctionNode } from './walk-state.js'
import { lowerBound, within } from './within.js'

/** An analysed script. */
export interface Unit {
  readonly script: Script
  readonly source: string
  /** Where its lines begin. */
  readonly lineStarts: readonly number[]
  readonly analysis: Analysis
}

/** Syntax trees are large; the scripts whose functions are sent are few. */
const KEPT_UNITS = 24

const units = new Map<string, Unit>()

export function unitOf(script: Script): Unit {
  let unit = units.get(script.id)
  if (unit !== undefined) return unit
  const source = sourceOf(script)
  const analysis = analyse(parse(script, source))
  unit = { script, source, lineStarts: lineStartsOf(source), analysis }
  units.set(script.id, unit)
  if (units.size > KEPT_UNITS) units.delete(units.keys().next().value as string)
  return unit
}

/** The file that a unit's code is from: it may itself have come here by value. */
export function originOf({ script, source }: Unit): {
  url: string
  sources: Readonly<Record<string, ImportSource>>
} {
  return codeOfSource(source) ?? { url: script.url, sources: {} }
}

function parse(script: Script, source: string): Program {
  try {
    return parser().parse(source, {
      ecmaVersion: 'latest',
      sourceType: script.isModule ? 'module' : 'script',
      allowHashBang: true,
      // CommonJS is compiled as the body of an async-capable function.
      allowReturnOutsideFunction: true,
      allowAwaitOutsideFunction: true,
      allowSuperOutsideMethod: true,
      allowImportExportEverywhere: false,
    })
  } catch (error) {
    const where = script.url || 'evaluated code'
    throw new Unsendable(`stands in a source that cannot be parsed (${where})`, error)
  }
}

function lineStartsOf(source: string): number[] {
  const starts = [0]
  for (let i = source.indexOf('\n'); i !== -1; i = source.indexOf('\n', i + 1)) starts.push(i + 1)
  return starts
}

/** @returns the functions and classes in a part of the script. */
export function functionsWithin(
  { analysis }: Unit,
  range: { start: number; end: number },
): readonly FunctionNode[] {
  return within(analysis.functions, range, startOfFunction).filter(
    ({ node }) => node.end <= range.end,
  )
}

function startOfFunction({ node }: FunctionNode): number {
  return node.start
}

/** Finds a function or class by the place that the engine gives for it. */
export function functionAt(unit: Unit, location: Location): FunctionNode | undefined {
  const offset = offsetOf(unit, location.line, location.column)
  const { functions } = unit.analysis
  // The last that begins before the place and ends after it is the innermost.
  let index = lowerBound(functions, offset + 1, startOfFunction) - 1
  while (index >= 0 && functions[index].node.end <= offset) index--
  const found = functions[index] as FunctionNode | undefined
  // A class is placed at its constructor when it has one.
  if (found && isConstructor(found.parent)) {
    const { owner } = found
    return owner && functionOfNode(unit, owner)
  }
  return found
}

/** @returns what was found of a function or class in the source. */
export function functionOfNode(unit: Unit, node: AnyNode): FunctionNode | undefined {
  return functionsWithin(unit, node).find((fn) => fn.node === node)
}

function isConstructor(node: AnyNode): boolean {
  return node.type === 'MethodDefinition' && node.kind === 'constructor'
}

/** @param line and column as the engine counts them, from 0. */
export function offsetOf({ lineStarts, script }: Unit, line: number, column: number): number {
  const start = lineStarts[line - script.startLine] ?? 0
  return start + (line === script.startLine ? column - script.startColumn : column)
}
