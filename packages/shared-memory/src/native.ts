/**
 * The typed door to the C addon, which maps memory, sleeps, wakes, and tells who is dead.
 *
 * The one thing to know: it is one mapping for each process, shared by all its agents (main thread
 * and workers), while the waiter thread, slots and claims belong to the agent that took them and
 * end with it. Every failure is an `Error` whose `code` is an errno name such as `'EBUSY'`; a wrong
 * argument is a `TypeError` or `RangeError`. Why it is made so: `native/platform.h` and up.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Bare } from './bare/platform.js'

/** Where the participant table is, in 32-bit words; `layout.ts` is the source of these numbers. */
export interface NativeLayout {
  /** The word where slot 0 starts. */
  readonly slotsWord: number
  /** Words from one slot to the next. */
  readonly slotWords: number
  readonly slotCount: number
  /** Inside a slot: `generation << 8 | state`. */
  readonly stateWord: number
  /** Inside a slot: the process of its agent. */
  readonly pidWord: number
  /** Inside a slot: the bell on which its agent sleeps. */
  readonly bellWord: number
  /** Inside a slot: who sleeps on the bell. 1: a thread in `park()`; 2: the waiter thread is armed; 4: a thread that is about to park. */
  readonly parkedWord: number
  /** In the mapping: how many deaths this session has seen. */
  readonly deathsWord: number
  /** The state of a slot whose agent left without a goodbye; 1 to 255. It and all higher ones are those of the dead. */
  readonly goneState: number
  /** The state of a slot whose agent is alive; 1 to 255. */
  readonly liveState: number
}

/** What {@link Native.park} says of its end. */
export const ParkResult = {
  /** Somebody woke this word. A hint: look at the state again. */
  woken: 0,
  /** The word did not hold the expected value. */
  changed: 1,
  timedOut: 2,
  /** A signal came; its listener runs once the caller returns to the event loop. */
  interrupted: 3,
} as const

/** One of the values of {@link ParkResult}. */
export type ParkResult = (typeof ParkResult)[keyof typeof ParkResult]

/** States of a descriptor, for {@link Native.poll}; a sum of them is several. */
export const PollState = { readable: 1, writable: 2, hungUp: 4 } as const

/** How a child process ended: one of the two is a number, the other null. */
export interface NativeExit {
  readonly code: number | null
  /** A signal number, not a name. */
  readonly signal: number | null
}

/** A run of pages that user code sees. Opaque. */
export type NativeRun = object & { readonly brand: unique symbol }

/** The functions of the addon. A "word" is the index of a 32-bit word in the mapping. */
export interface Native {
  /** The file that it was loaded from. */
  readonly path: string
  /** What there is in its place where it is not there, see `bare/platform.ts`. */
  readonly bare?: Bare

  /**
   * Creates the session's memory: a sealed file without a name, zeroed, mapped whole. Pages cost
   * nothing until touched. Throws EALREADY when this process has a session.
   */
  create(byteLength: number): void
  /** Maps the session that came as an inherited descriptor. Throws EINVAL when it is not one. */
  attach(fd: number): void
  /** Maps the session that another living process of this user has open as its descriptor `fd`. */
  attachSibling(pid: number, fd: number): void
  /** Tells whether this process has a session, whichever of its agents made it. */
  attached(): boolean
  /** The descriptor to pass to a child in a stdio slot. */
  fd(): number
  byteLength(): number
  /**
   * Makes an ArrayBuffer over a part of the mapping itself. Not for users: `transfer()` would detach
   * it. Throws ERR_MP_UNSUPPORTED where the engine refuses outside memory (Electron).
   */
  view(byteOffset: number, byteLength: number): ArrayBuffer
  /**
   * As `view`, but as a SharedArrayBuffer where Node can make one over outside memory (24, 26, newer
   * 22): the engine does not count its bytes as memory that a collection might free.
   */
  sharedView(byteOffset: number, byteLength: number): ArrayBufferLike
  /** Bytes of the data pages as a part of a larger buffer; only where there is no addon, which has no other way. */
  bytes?(byteOffset: number, byteLength: number): Uint8Array
  /** Empties an ArrayBuffer and every view of it; the memory behind it stays as it is. A SharedArrayBuffer, which there is without the addon, stays. */
  detach(arrayBuffer: ArrayBufferLike): void
  /**
   * A run of pages that user code is to see: `count` words from `word` on say who owns them, `owner`
   * now. Whatever happens to the buffers, the words that still hold `owner` become 0 when neither the
   * run nor the memory of any of its buffers can be reached, unless {@link runClose} gave the pages back.
   * Whoever waits in the wait set at `waiters` is woken then.
   */
  runOpen(word: number, count: number, owner: number, waiters: number): NativeRun
  /** A buffer over a part of the run, for users: it may be transferred. At least one byte long. */
  runView(run: NativeRun, byteOffset: number, byteLength: number): ArrayBuffer
  /** Empties a buffer of the run and every view of it; does nothing to one that was transferred. */
  runDetach(run: NativeRun, arrayBuffer: ArrayBuffer): void
  /**
   * Lets go of the run: true when nothing shows its pages any more, so that they are the caller's to
   * give or free; else they are freed later. False the second time.
   */
  runClose(run: NativeRun): boolean
  /** Gives the whole pages in a range back to the system; the range then reads as zeros. */
  punch(byteOffset: number, byteLength: number): void
  /** Tells the engine that so many bytes more (or less) outside of its heap might be freed by a collection. */
  charge(byteLength: number): void
  /**
   * Has this process's allocator keep up to 64 MiB of what is freed, for large blocks to come (glibc; elsewhere and
   * where MALLOC_* is set it does nothing).
   */
  keepFreed(): void

  /** Describes the participant table; again with the same numbers does nothing, else EINVAL. */
  setLayout(layout: NativeLayout): void

  /**
   * Sleeps while the word holds `expected`, at most `timeoutMs` and at most 100 ms, as a synchronous
   * sleeper. Call it through a JavaScript function for each slice, or the thread cannot be terminated.
   */
  park(word: number, expected: number, timeoutMs: number): ParkResult
  /** Looks at a word for a while, at most 100 ms, without sleeping. 1: it does not hold `expected` any more; 0: it does. */
  spin(word: number, expected: number, timeoutMs: number): number
  /** Wakes all sleepers on a word, in any process. Mask 1: those in {@link park}; 2: waiter threads. */
  wake(word: number, mask: number): void
  /** Rings every slot that is not free, whether it looks asleep or not. Needs a layout. */
  ringAll(): void

  /**
   * Starts this agent's waiter thread: once the bell leaves `seen` while bit 2 of the parked word is
   * set, it clears that bit and calls `callback` from the event loop. So: load the bell, arm the bit,
   * load the bell again; if it moved, do not wait. Does not keep the event loop alive until
   * {@link waiterRef}. What `callback` throws is an uncaught exception.
   */
  waiterStart(bellWord: number, parkedWord: number, seen: number, callback: () => void): void
  /** Lets the waiter thread keep the event loop alive. */
  waiterRef(): void
  /** Undoes {@link waiterRef}; neither counts. */
  waiterUnref(): void
  /** Ends the waiter thread and bumps the bell once; no callback comes after. */
  waiterStop(): void

  /**
   * Takes a slot for this agent. When the agent ends without {@link disown}, the slot's state becomes
   * `goneState`, deaths are counted and everybody is rung; when the process dies, the kernel frees
   * the slot. Throws EBUSY when anyone owns or reaps it, in this process or another.
   */
  own(slot: number): void
  /** Gives the slot back in good order; nobody is told. Throws EPERM when it is not this agent's. */
  disown(slot: number): void
  /** Tells whether no living process owns the slot: free, or its owner is dead. Takes nothing. */
  probe(slot: number): boolean
  /**
   * Tells whether the slot's owner is dead and this agent is now its only reaper, until
   * {@link unclaim}, the end of the agent or of the process. A second claim is refused as well.
   */
  claim(slot: number): boolean
  /** Ends a claim. Throws EPERM when it is not this agent's. */
  unclaim(slot: number): void

  /**
   * Watches a process: when it dies, deaths are counted and everybody is rung; again once its slots
   * can be claimed, should that be later. The watch belongs to this process, whichever agent asked
   * for it, and ends when it has fired. Dead already counts at once.
   *
   * @returns what {@link unwatch} takes; null where the system cannot do this (or MP_NO_PIDFD=1 was set at load)
   */
  watch(pid: number): number | null
  /** Ends a watch that has not ended by itself. */
  unwatch(watch: number): void
  /**
   * Kills this process (SIGKILL) when its parent `pid` dies, however busy JavaScript is; at once when
   * `pid` is not its parent. With `useSignal` the kernel does it too, also when only the parent's
   * *thread* that started this process ends.
   */
  dieWithParent(pid: number, useSignal?: boolean): void
  /**
   * Counts the children of this process, one more or one less. While there are some, SIGINT writes one line to
   * stderr before it ends the process; not where the program handles or ignores it.
   */
  tellInterrupt?(isMore: boolean): void
  /**
   * Waits for a child of this process to end, at most `timeoutMs` and at most 100 ms, and leaves it
   * for libuv to reap. Null when it still runs, or a signal came. Throws ECHILD when it is gone.
   */
  waitExit(pid: number, timeoutMs: number): NativeExit | null

  /**
   * Has the kernel kill this process (SIGKILL) when the thread that started it ends; at once when
   * `parent` is not its parent.
   */
  forkBegin(parent: number): void
  /**
   * Stops all other threads of this process for ever, says that it is ready, and makes copies of it as they are asked
   * for, until nobody is left who could ask; then the process ends.
   *
   * @param control the descriptor by which requests come; 32 or more, as all but those passed on.
   * @param stock the descriptor by which they come to a copy in stock.
   * @param ready what to say there; less than 64 KiB.
   * @returns in each copy the text of {@link forkAsk}.
   * @throws Error `ERR_MP_CANNOT_FORK` in the process itself, with the reason; everything goes on then.
   */
  forkServe(control: number, stock: number, ready: string): string
  /** In a copy: its other threads, which come some milliseconds later, are wanted at once. */
  forkRevive(): void
  /** In a copy that has done what all will do: notes what memory that took, so that one in stock has it before it is asked. */
  forkLearn(): void
  /** Has the engine give back what memory it keeps for later. */
  forkReduce(): void
  /** Two connected sockets: of a stream, or for requests. */
  forkPair(isStream: boolean): [number, number]
  /** Closes one of them: of descriptors that `node:fs` has not opened, its own function warns in a thread. */
  forkClose(fd: number): void
  /**
   * Asks a server for a copy, by its `control`, or one that it has in stock: for a child of this process. Descriptors:
   * a socket where a negative errno is answered (4 bytes), or which is closed when all is well; the session's file; then
   * those that the child has as 0, 1, 2, 4, 5… The session's is its 3. The child's pid is in a word before it
   * does anything. Throws EMSGSIZE for a text of 4 KiB, EPIPE when nobody is there.
   */
  forkAsk(socket: number, pidWord: number, text: string, fds: readonly number[]): void
  /**
   * Has a server make a copy in advance, which waits to be asked. The kernel writes its pid into a word before it
   * runs. Throws as {@link forkAsk}.
   */
  forkStock(control: number, pidWord: number): void
  /**
   * Ends a copy at once, without taking down what it shares; streams of C and the terminal are left in order.
   * False where other agents of the process or loaded libraries want to be told of its end.
   */
  forkExit(code: number): false
  /** Lets go of a child that has ended and is not libuv's. Throws ECHILD when it is gone. */
  reap(pid: number): void

  /** Says who is called, from the event loop, when a child of {@link exitsWatch} has ended. Once for each agent. */
  exitsStart(callback: (pid: number) => void): void
  /** Watches a child of this process that is not libuv's. False where the system cannot do this. */
  exitsWatch(pid: number): boolean
  /** Lets the watches keep the event loop alive; undone by {@link exitsUnref}. Neither counts. */
  exitsRef(): void
  exitsUnref(): void

  /**
   * Waits until a descriptor is in one of the states of `interest` (a sum of {@link PollState}), at most
   * `timeoutMs` and at most 100 ms. Call it through a JavaScript function for each slice, as `park`.
   *
   * @returns the states it is in; 0 when the time passed or a signal came. `hungUp` may come unasked.
   */
  poll(fd: number, interest: number, timeoutMs: number): number

  /** Milliseconds on the monotonic clock, the same for all processes. */
  now(): number
  /** This process's id, asked from the system. */
  pid(): number
}

let loaded: Native | undefined

/**
 * Loads the addon, once.
 *
 * Throws `ERR_MP_UNSUPPORTED` on a system that it is not made for, and `ERR_MP_NATIVE_MISSING` when
 * the binary for this platform is not there or cannot be loaded.
 */
export function loadNative(): Native {
  loaded ??= load()
  return loaded
}

function load(): Native {
  const { platform, arch } = process
  if (platform !== 'linux') {
    throw coded(
      'ERR_MP_UNSUPPORTED',
      `@mp/shared-memory does not run on ${platform}: it is made for Linux (x64 and arm64)`,
    )
  }
  const files = binaries()
  if (files.length === 0) {
    throw coded(
      'ERR_MP_NATIVE_MISSING',
      `the native part of @mp/shared-memory for ${platform}-${arch} is missing: there is none in ${folder()}; ` +
        'run `node scripts/build-native.mjs` in the package (it needs a C compiler). If a bundler has put the ' +
        'package into your program, leave all of @mp/* out of the bundle (esbuild: `--packages=external`)',
    )
  }
  const failures: Error[] = []
  for (const file of files) {
    try {
      const addon = createRequire(import.meta.url)(file) as Native
      return Object.assign(addon, { path: file })
    } catch (error) {
      failures.push(error as Error)
    }
  }
  throw coded(
    'ERR_MP_NATIVE_MISSING',
    `the native part of @mp/shared-memory for ${platform}-${arch} cannot be loaded from ${folder()}: ` +
      `${failures.map(({ message }) => message).join('; ')}; run \`node scripts/build-native.mjs --force\` in the package`,
    failures[0],
  )
}

/** A binary for the other C library cannot be loaded, and asking the system which one it has takes longer. */
function binaries(): string[] {
  return ['glibc', 'musl'].map((libc) => `${folder()}node.napi.${libc}.node`).filter(existsSync)
}

function folder(): string {
  const { platform, arch } = process
  // One folder up is the package from src/ and from dist/ alike.
  return fileURLToPath(new URL(`../prebuilds/${platform}-${arch}/`, import.meta.url))
}

function coded(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, cause === undefined ? undefined : { cause }), { code })
}
