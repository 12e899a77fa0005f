/**
 * The state of one message being written.
 *
 * The functions of this folder take it as their first argument; `value.ts` is where they start.
 *
 * @module
 */
import type { PicklingError } from '../errors.js'
import type { ModuleName } from '../modules/load.js'
import { empty } from '../empty.js'
import { ShapeTable } from '../shapes.js'
import type { Cell } from '../functions/registry.js'
import type { Evaluation } from './cells.js'
import { Output } from './output.js'
import { picklingError, type Segment } from './path.js'

/** Up to here, a walk over the array is faster than a Map (measured: 8 to 12 objects). */
const LINEAR_OBJECTS = 8

/**
 * How deep values may be nested.
 *
 * A level costs up to 650 bytes of the 984 KiB that a stack has by default (measured; less in
 * decoding), so this leaves a third of it to the caller.
 */
const MAX_DEPTH = 1_000

/** Where a writer stood, to go back to when an optional part cannot be written. */
export interface Mark {
  readonly position: number
  readonly pieces: number
  readonly objects: number
  readonly shapes: number
  readonly codes: number
  readonly cells: number
  readonly depth: number
}

export class Writer {
  readonly out: Output = new Output()
  readonly shapes: ShapeTable = new ShapeTable()
  /** Names the value in errors, when the path does not. */
  root = ''
  /** Steps to the value being written: `path[0 … depth)`. */
  readonly path: Segment[] = []
  depth = 0
  /** Within what a function captured: objects there have methods, and symbols as keys. */
  ofCode = false
  /** Refuses whatever the receiver would have to run code for. */
  dataOnly = false
  /** Says of an object with a hook why it cannot go. */
  refusal: ((object: object) => string | undefined) | undefined

  readonly modules: ModuleName[] = []
  /** Buffers of which only parts are seen, with the range that views need. */
  readonly parts: Map<ArrayBufferLike, { index: number; start: number; end: number }> = new Map()
  /** Code records by number, and cells by variable: see `functions/`. */
  readonly codes: Map<object, number> = new Map()
  readonly cells: Map<string, Cell> = new Map()
  /** Evaluations of scopes in the message: see `cells.ts`. */
  readonly evaluations: Map<string, Evaluation[]> = new Map()

  #objects: object[] = []
  #numbers: Map<object, number> | undefined

  /** @returns the object's number, or -1 when it is not in the message yet. */
  numberOf(object: object): number {
    if (this.#numbers !== undefined) return this.#numbers.get(object) ?? -1
    const objects = this.#objects
    for (let i = 0; i < objects.length; i++) if (objects[i] === object) return i
    return -1
  }

  /** Gives the next number to an object. */
  register(object: object): void {
    const objects = this.#objects
    const number = objects.length
    objects.push(object)
    if (this.#numbers !== undefined) {
      this.#numbers.set(object, number)
    } else if (number === LINEAR_OBJECTS) {
      this.#numbers = new Map(objects.map((known, index) => [known, index]))
    }
  }

  /** Steps into a container. @returns the depth to give to {@link leave}. */
  enter(): number {
    const { depth } = this
    if (depth === MAX_DEPTH) {
      throw this.refuse(
        `is nested more than ${MAX_DEPTH} levels deep; flatten it, or send it as text`,
      )
    }
    this.depth = depth + 1
    return depth
  }

  /** Makes the error for the value at the current path. */
  refuse(reason: string, cause?: unknown): PicklingError {
    return picklingError(this.root, this.path.slice(0, this.depth), reason, cause)
  }

  /** Refuses what is not data, when only data may go. */
  requireTrust(what: string): void {
    if (this.dataOnly) throw this.refuse(`is ${what}, and only data may be sent here`)
  }

  needModule(specifier: string, parent: string, kind: string): number {
    const { modules } = this
    for (let i = 0; i < modules.length; i++) {
      const known = modules[i]
      if (known.specifier === specifier && known.parent === parent && known.kind === kind) return i
    }
    return modules.push({ specifier, parent, kind }) - 1
  }

  mark(): Mark {
    return {
      position: this.out.position,
      pieces: this.out.pieceCount,
      objects: this.#objects.length,
      shapes: this.shapes.count,
      codes: this.codes.size,
      cells: this.cells.size,
      depth: this.depth,
    }
  }

  /** Takes back what was written since the mark. */
  rollback(mark: Mark): void {
    this.out.rewind(mark.position, mark.pieces)
    this.depth = mark.depth
    this.shapes.truncate(mark.shapes)
    for (const dropped of this.#objects.splice(mark.objects)) this.#numbers?.delete(dropped)
    dropNewest(this.codes, mark.codes)
    dropNewest(this.cells, mark.cells)
  }

  /** Makes the writer ready for the next message and lets go of this one's objects. */
  reset(): void {
    this.out.reset()
    this.shapes.truncate(0)
    empty(this.#objects)
    this.#numbers = undefined
    this.depth = 0
    this.root = ''
    this.ofCode = false
    this.dataOnly = false
    this.refusal = undefined
    if (this.modules.length > 0) this.modules.length = 0
    if (this.parts.size > 0) this.parts.clear()
    if (this.codes.size > 0) this.codes.clear()
    if (this.cells.size > 0) this.cells.clear()
    if (this.evaluations.size > 0) this.evaluations.clear()
  }
}

/** Deletes what was added to a map after it had `size` entries. */
function dropNewest(map: Map<unknown, unknown>, size: number): void {
  if (map.size === size) return
  for (const key of [...map.keys()].slice(size)) map.delete(key)
}
