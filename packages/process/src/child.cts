/**
 * The file that a spawned process is started with: it runs `child-code.cjs`, in which is all that a plain child needs.
 *
 * Node's compile cache has a file as it is before it runs, so that each function of it is compiled when it is called
 * first, in every child again: a third of what a child's start took. Here it is kept as it is when a child is ready, with all
 * that every child calls and nothing else. V8 takes it only if it has the same version and flags, and was made from a source of that
 * length; that it was this source is said by its name.
 *
 * @module
 */
const fs = require('node:fs') as typeof import('node:fs')
const { Script } = require('node:vm') as typeof import('node:vm')

/** Hash of `child-code.cjs`, from the build. */
declare const CODE_HASH: string

/** What `child-code.cjs` is: a function of what only a module has, and of what is to be called when the child is ready. */
type Code = (
  require: NodeJS.Require,
  childDirectory: string,
  importHere: (specifier: string) => Promise<unknown>,
  onReady: (() => void) | undefined,
) => void

const [, , , , isCached, keptAt] = process.argv
// The environment has a directory for compiled code that is not the program's: it would be inherited.
if (isCached === 'cached') delete process.env['NODE_COMPILE_CACHE']

const place = `${keptAt}-${CODE_HASH}`
const filename = `${__dirname}/child-code.cjs`
const cachedData = keptAt ? keptCode() : undefined
// All of it is ASCII, and is read faster so.
const script = new Script(fs.readFileSync(filename, 'latin1'), { filename, cachedData })
const isTaken = cachedData !== undefined && script.cachedDataRejected !== true
const code = script.runInThisContext() as Code
code(require, __dirname, (specifier) => import(specifier), keptAt && !isTaken ? keep : undefined)

function keptCode(): Buffer | undefined {
  try {
    return fs.readFileSync(place)
  } catch {
    // Not there yet, or not to be read.
    return undefined
  }
}

/** For how long what others have kept stays, although V8 does not take it here: machines that differ may share a home. */
const STAYS_MS = 600_000

function keep(): void {
  const temporary = `${place}.${process.pid}.${Math.random().toString(36).slice(2)}`
  try {
    const known = fs.statSync(place, { throwIfNoEntry: false })
    if (known !== undefined && Date.now() - known.mtimeMs < STAYS_MS) return
    write(temporary, script.createCachedData())
    // CRASH: until here there is a file that nobody reads. Of several that keep theirs at once, any may be the last.
    fs.renameSync(temporary, place)
  } catch {
    // No permission, or no room: children go on without, which is only slower.
    discard(temporary)
  }
}

function write(file: string, bytes: Uint8Array): void {
  const fd = fs.openSync(file, 'wx', 0o600)
  try {
    fs.writeFileSync(fd, bytes)
    // Nothing but all of it may be found under its name, also when the power fails.
    fs.fsyncSync(fd)
  } finally {
    fs.closeSync(fd)
  }
}

function discard(file: string): void {
  try {
    fs.unlinkSync(file)
  } catch {
    // It was never there, or nobody may remove it.
  }
}
