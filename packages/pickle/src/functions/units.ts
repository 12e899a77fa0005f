/**
 * Scripts, parsed and analysed once, and where in them a function stands.
 *
 * @module
 */
import type { AnyNode, Program } from 'acorn'
import { analyse, type Analysis } from './analysis.js'
import { sourceOf, type Location } from './inspector.js'
import { parser } from './parser.js'
import { codeOfBody } from './registry.js'
import type { ImportSource } from './scopes.js'
import type { Script } from './scripts.js'
import { offsetAt } from './source.js'
import { BODY_MARK } from './supplied-names.js'
import { Unsendable } from './unsendable-error.js'
import type { FunctionNode } from './walk-state.js'

/** An analysed script. */
export interface Unit {
  readonly script: Script
  readonly source: string
  readonly analysis: Analysis
}

/** Syntax trees are large; the scripts whose functions are sent are few. */
const KEPT_UNITS = 24

const units = new Map<string, Unit>()

export function unitOf(script: Script): Unit {
  let unit = units.get(script.id)
  if (unit !== undefined) return unit
  const source = sourceOf(script)
  unit = { script, source, analysis: analyse(parse(script, source)) }
  units.set(script.id, unit)
  if (units.size > KEPT_UNITS) units.delete(units.keys().next().value as string)
  return unit
}

/** The file that a unit's code is from: it may itself have come here by value. */
export function originOf({ script, source }: Unit): {
  url: string
  sources: Readonly<Record<string, ImportSource>>
} {
  if (source.startsWith(BODY_MARK)) {
    const code = codeOfBody(source)
    if (code !== undefined) return code
  }
  return { url: script.url, sources: {} }
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

/** Finds a function or class by the place that the engine gives for it. */
export function functionAt(unit: Unit, location: Location): FunctionNode | undefined {
  const offset = offsetOf(unit, location)
  let found: FunctionNode | undefined
  for (const candidate of unit.analysis.functions) {
    const { start, end } = candidate.node
    if (start > offset || offset >= end) continue
    if (found === undefined || end - start <= found.node.end - found.node.start) found = candidate
  }
  // A class is placed at its constructor when it has one.
  if (found && isConstructor(found.parent)) {
    const { owner } = found
    return unit.analysis.functions.find(({ node }) => node === (owner as AnyNode | undefined))
  }
  return found
}

function isConstructor(node: AnyNode): boolean {
  return node.type === 'MethodDefinition' && node.kind === 'constructor'
}

function offsetOf({ source, script }: Unit, { line, column }: Location): number {
  const start = offsetAt(source, line - script.startLine)
  return start + (line === script.startLine ? column - script.startColumn : column)
}
