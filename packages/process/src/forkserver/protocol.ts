/**
 * What a process and its fork server say to each other.
 *
 * The server says once, as JSON, whether it can do its work. Then it is asked for copies: the request's
 * text is JSON too, its descriptors are those of the child. See `forkAsk` of the addon.
 *
 * @module
 */

/** Where the server has its end of the socket. The numbers below are kept for what children are given. */
export const CONTROL_FD = 32

/** Where it has what its copy in stock is asked by. */
export const STOCK_FD: number = CONTROL_FD + 1

/**
 * A pipe that the server closes when all is loaded and its next step is to be ready: its user hears of that in the event
 * loop, and of its death likewise. The socket would have to be read there.
 */
export const LOADED_FD = 4

/** Descriptors of its own that a child may be given, its standard streams among them. */
export const MAX_OWN_FDS = 28

/** What the server is started with, as its argument. */
export interface Settings {
  readonly parentPid: number
  /** The program's main module: what is to be loaded is looked up from there. */
  readonly main: string
  /** Whether its environment has a directory for compiled code that is not the program's: see `compile-cache.ts`. */
  readonly isCached: boolean
  /** URLs of those of our modules that the program has loaded. */
  readonly loaded: readonly string[]
  readonly preload: readonly string[]
}

/** What the server says when it is ready. */
export interface Ready {
  /** Null, or why it cannot be copied. */
  readonly why: string | null
  /** Modules that could not be loaded, with the reason. */
  readonly failures: readonly string[]
}

/** What a copy is to be: a child, or a look whether copies work, and what memory they take. */
export type Request = { readonly token: string } | { readonly probe: true }

/** How an environment differs from that of the server. */
export interface EnvChanges {
  readonly set: Readonly<Record<string, string>>
  readonly unset: readonly string[]
}

/** What a child has from its parent that the server may have otherwise. */
export interface Surroundings {
  readonly env: EnvChanges
  readonly cwd: string
  readonly umask: number
  readonly preload: readonly string[]
}
