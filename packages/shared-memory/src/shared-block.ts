/**
 * A named block of bytes, shared by whichever processes of the user know its name.
 *
 * It is a file that its users have mapped; `named-folder.ts` has where, and
 * `native/linux-named.c` how a block ends when nobody uses it any more. It needs
 * no session: the processes need not be related.
 *
 * @module
 */
import { constants } from 'node:buffer'
import { ORIGIN } from './origin.js'
import { checkInteger, outOfRange, wrongType } from './arguments.js'
import { BlockBytes, UnnamedUse } from './bare/unnamed.js'
import { MultiprocessingError } from './errors.js'
import { createNamed, openNamed } from './named-folder.js'
import { type NamedUse, namedNative } from './named-native.js'
import { isBare } from './platform.js'
import { type Reduced, reduceSymbol, reviveSymbol } from './shared-object.js'

/** What `new SharedMemory` takes to make a block. */
export interface SharedMemoryCreateOptions {
  create: true
  /** How many bytes. */
  size: number
  /**
   * What others find it by: up to 240 bytes, without `/`.
   *
   * @default a random name that nobody uses
   */
  name?: string | undefined
}

/** What `new SharedMemory` takes to open a block. */
export interface SharedMemoryOpenOptions {
  create?: false | undefined
  /** The name of a block that somebody uses. */
  name: string
}

/** With the suffix and the longest prefix it has to fit a file's name, of 255 bytes. */
const MAX_NAME_BYTES = 240

/** As long as a buffer can be reached so can its use, which has the memory. */
const uses = new WeakMap<ArrayBuffer, Use>()

/** The last object of this thread for each name, so that a handle that comes back is the same object. */
const opened = new Map<string, WeakRef<SharedMemory>>()

const forgotten = new FinalizationRegistry<string>((name) => {
  if (opened.get(name)?.deref() === undefined) opened.delete(name)
})

/**
 * A named block of shared memory; Python's `multiprocessing.shared_memory.SharedMemory`.
 *
 * A block lives as long as it has a name or a user. It loses its name by `unlink()`, and by itself
 * when its last user has ended, however it ended. A process uses a block between opening and
 * closing it. One that has made it, or has sent it to another process, uses it until the process
 * itself ends: so a receiver finds it, unless the sender has ended before the message arrived.
 *
 * It may be an argument of a process or task, an item of a queue, a message on a connection, until
 * it is unlinked.
 *
 * @example
 * const block = new SharedMemory({ create: true, size: 4_096, name: 'telemetry' })
 * new Uint32Array(block.buffer)[0] = 7
 * // In any other process of the user:
 * console.log(new Uint32Array(new SharedMemory({ name: 'telemetry' }).buffer)[0])
 */
export class SharedMemory {
  readonly name: string
  /** How many bytes it has. */
  readonly size: number
  readonly #use: Use
  #buffer: ArrayBuffer | undefined
  #unlinked = false

  /**
   * Makes a block of zeros, or opens the block of a name.
   *
   * @throws MultiprocessingError `ERR_MP_EXISTS` when a block that is to be made has a name that is taken;
   * `ERR_MP_NOT_FOUND` when there is none to open. OutOfSharedMemoryError (`ERR_MP_OUT_OF_MEMORY`) when the bytes
   * cannot be had. TypeError or RangeError for a name or size that cannot be.
   */
  constructor(options: SharedMemoryCreateOptions | SharedMemoryOpenOptions)
  /** @internal */
  constructor(options: Received)
  constructor(options: SharedMemoryCreateOptions | SharedMemoryOpenOptions | Received) {
    if (typeof options !== 'object' || options === null) {
      throw wrongType('options', 'an object such as { create: true, size: 100 }', options)
    }
    const { name, use } = options.create === true ? create(options) : open(options)
    const buffer = viewOf(use)
    uses.set(buffer, use)
    this.name = name
    this.size = buffer.byteLength
    this.#use = use
    this.#buffer = buffer
    if (opened.get(name)?.deref()?.closed !== false) opened.set(name, new WeakRef(this))
    forgotten.register(this, name)
  }

  /** Whether this object was closed. */
  get closed(): boolean {
    return this.#buffer === undefined
  }

  /**
   * The block's bytes; the same ArrayBuffer at every call.
   *
   * Views of it are empty once the block is closed; its memory is never pulled away under them.
   *
   * @throws MultiprocessingError `ERR_MP_CLOSED` after `close()`.
   */
  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw this.#closedError()
    return this.#buffer
  }

  /**
   * Lets go of the block: its buffer and all views of it become empty. Closing twice is fine.
   *
   * It does not take the block's name away while there are users; see `unlink()`.
   */
  close(): void {
    const buffer = this.#buffer
    if (buffer === undefined) return
    this.#buffer = undefined
    if (this.#use instanceof UnnamedUse) this.#use.release()
    else namedNative().namedRelease(this.#use, buffer)
  }

  /**
   * Takes the block's name away; its memory goes when its last user lets go. May be called after `close()`.
   *
   * @throws MultiprocessingError `ERR_MP_NOT_FOUND` when that was done before, here or in another process.
   */
  unlink(): void {
    if (this.#use instanceof UnnamedUse) {
      if (!this.#use.unlink()) throw notFound(this.name)
      return
    }
    try {
      namedNative().namedUnlink(this.#use)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(this.name)
      throw error
    }
    this.#unlinked = true
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Which of the blocks that had this name, one after the other, it is. @internal */
  get identity(): number {
    return this.#use instanceof UnnamedUse ? 0 : namedNative().namedIdentity(this.#use)
  }

  /** Takes the handle apart for the serializer; from now on this process stays a user. @internal */
  reduceHandle(): Reduced {
    if (this.closed) throw this.#closedError()
    const use = this.#use
    if (this.#unlinked || (use instanceof UnnamedUse && use.isUnlinked)) throw notFound(this.name)
    const args: unknown[] = [this.name, this.identity]
    if (use instanceof UnnamedUse) args.push(use.bytes)
    else namedNative().namedKeep(use)
    return { module: ORIGIN, name: 'SharedMemory', args }
  }

  #closedError(): MultiprocessingError {
    return new MultiprocessingError('ERR_MP_CLOSED', `The SharedMemory \`${this.name}\` is closed`)
  }
}

/** How this thread uses the block: as a file of the system, or, where there is no addon, as memory of its threads. */
type Use = NamedUse | UnnamedUse

/** What makes an object for bytes that this thread has received. */
interface Received {
  readonly create?: undefined
  readonly name: string
  readonly bytes: BlockBytes
}

function viewOf(use: Use): ArrayBuffer {
  return use instanceof UnnamedUse
    ? (use.bytes.array.buffer as ArrayBuffer)
    : namedNative().namedView(use)
}

function create({ name, size }: SharedMemoryCreateOptions): { name: string; use: Use } {
  checkInteger('size', size, 1, constants.MAX_LENGTH)
  if (name === undefined && isBare()) {
    return { name: randomName(), use: new UnnamedUse(new BlockBytes(size)) }
  }
  if (name !== undefined) {
    const use = createNamed(checkName(name), size)
    if (use !== null) return { name, use }
    throw new MultiprocessingError('ERR_MP_EXISTS', `There is a SharedMemory \`${name}\` already`)
  }
  for (;;) {
    const random = randomName()
    const use = createNamed(random, size)
    if (use !== null) return { name: random, use }
  }
}

function randomName(): string {
  return `mp-${process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex')}`
}

function open(options: SharedMemoryOpenOptions | Received): { name: string; use: Use } {
  if ('bytes' in options) return { name: options.name, use: new UnnamedUse(options.bytes) }
  const { create, name } = options
  if (create !== undefined && create !== false) throw wrongType('create', 'true or false', create)
  const use = openNamed(checkName(name))
  if (use === null) throw notFound(name)
  return { name, use }
}

function checkName(name: unknown): string {
  const allowed = `a name of 1 to ${MAX_NAME_BYTES} bytes without \`/\``
  if (typeof name !== 'string') throw wrongType('name', allowed, name)
  const byteLength = Buffer.byteLength(name)
  if (byteLength === 0 || byteLength > MAX_NAME_BYTES || /[/\0]/.test(name)) {
    throw outOfRange('name', allowed, name)
  }
  return name
}

function notFound(name: string): MultiprocessingError {
  return new MultiprocessingError(
    'ERR_MP_NOT_FOUND',
    `There is no SharedMemory \`${name}\`: it was unlinked, or nobody uses it any more, or there was none`,
  )
}

/** Finds or makes this thread's object for a handle that arrived. */
function reviveHandle(name: string, identity: number, bytes?: BlockBytes): SharedMemory {
  const known = opened.get(name)?.deref()
  if (known !== undefined && !known.closed && known.identity === identity) return known
  if (bytes?.isUnlinked === true) throw notFound(name)
  if (bytes !== undefined) return new SharedMemory({ name, bytes })
  const block = new SharedMemory({ name })
  if (block.identity === identity) return block
  // Another block has the name by now.
  block.close()
  throw notFound(name)
}

Object.defineProperty(SharedMemory.prototype, reduceSymbol, {
  value(this: SharedMemory): Reduced {
    return this.reduceHandle()
  },
})
Object.defineProperty(SharedMemory, reviveSymbol, { value: reviveHandle })
