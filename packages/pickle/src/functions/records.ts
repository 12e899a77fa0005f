/**
 * What a function is, for the purpose of sending it.
 *
 * @module
 */
import type { ClassLayout } from './class-layout.js'
import type { Code } from './code.js'
import type { ExportReference } from './reference.js'
import type { ImportSource } from './scopes.js'

export type Callable = (...args: never[]) => unknown

/** Something of ECMAScript or Node, by its path. */
export interface GlobalRecord {
  readonly kind: 'global'
  readonly path: readonly string[]
}

/** An export of a module. */
export interface ExportRecord extends Omit<ExportReference, 'kind'> {
  readonly kind: 'export'
  readonly from: ExportReference['kind']
}

/** A method or accessor of a class, which goes with its class. */
export interface MethodRecord {
  readonly kind: 'method'
  readonly owner: Callable
  readonly isStatic: boolean
  readonly key: string | symbol
  readonly part: 'value' | 'get' | 'set'
}

/** What a function of Node makes of another function. */
export interface MadeRecord {
  readonly kind: 'made'
  readonly maker: Callable
  readonly args: readonly unknown[]
}

/** A function or class that travels as its source. */
export interface CodeRecord {
  readonly kind: 'code'
  readonly code: Code
  readonly layout: ClassLayout | undefined
  /** Its own source, as the engine has it. */
  readonly text: string
  /** No capture can change: a receiver may use the function that it made before. */
  readonly stable: boolean
  /** When it is: the functions, it and what it captured, which nobody may put anything on for that. */
  stability(): ReadonlySet<Callable> | undefined
  /** It means the same wherever its text stands. */
  readonly selfContained: boolean
  /** It can tell whether it is itself that is called. */
  readonly knowsItself: boolean
  /** What it captured, in the order of `code.eager` without the base class, then of `code.lazy`. */
  captures(): readonly Capture[]
}

export type FunctionRecord = GlobalRecord | ExportRecord | MethodRecord | MadeRecord | CodeRecord

/** What code captured: a value, a variable that functions share, or an import. */
export type Capture = ValueCapture | CellCapture | ImportCapture

export interface ValueCapture {
  readonly kind: 'value'
  readonly variable: string
  readonly value: unknown
}

export interface CellCapture {
  readonly kind: 'cell'
  readonly variable: string
  readonly value: unknown
  /** Tells the variable's declaration from all others of the process. */
  readonly key: string
  /** Of a scope that may be evaluated many times: which evaluation this is. */
  readonly scope: EvaluatedScope | undefined
}

/** One evaluation of a scope, as far as it can be told from another: see `encode/cells.ts`. */
export interface EvaluatedScope {
  /** Tells the scope from all others of the process. */
  readonly key: string
  readonly variables: Readonly<Record<string, unknown>>
  /** The scopes between it and the function. */
  readonly inner: readonly Readonly<Record<string, unknown>>[]
  /** Where the function stands in the script. */
  readonly user: number
  /** One evaluation makes the function once. */
  readonly single: boolean
}

export interface ImportCapture {
  readonly kind: 'import'
  readonly source: ImportSource
  /** URL of the importing module. */
  readonly parent: string
}
