/**
 * The file that a spawned process is started with: it runs `child-code.cjs`, in which is all that a plain child needs.
 *
 * Node's compile cache has a file as it is before it runs, so that each function of it is compiled when it is called
 * first, in every child again: a third of what a child's start took. Here the code is kept as it is when a child is ready, with
 * all that every child calls. V8 takes it only if its own version and flags are the same and the source is as long; that it
 * was made from this source is said by the file's name.
 *
 * @module
 */
const fs = require('node:fs') as typeof import('node:fs')
const { Script } = require('node:vm') as typeof import('node:vm')

/** Of `child-code.cjs`, from the build: what SHA-256 begins with, in hexadecimal. */
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
const source = fs.readFileSync(filename, 'utf8')
const cachedData = keptAt ? keptCode() : undefined
const script = new Script(source, { filename, cachedData })
const isTaken = cachedData !== undefined && script.cachedDataRejected !== true
const code = script.runInThisContext() as Code
code(require, __dirname, (specifier) => import(specifier), keptAt && !isTaken ? keep : undefined)

/** V8 does not see whether its data are whole, and may crash: so they are there twice, which is compared faster than a sum is made. */
function keptCode(): Buffer | undefined {
  try {
    const twice = fs.readFileSync(place)
    const half = twice.length >> 1
    const data = twice.subarray(0, half)
    return data.equals(twice.subarray(half)) ? data : undefined
  } catch {
    // Not there yet, or not to be read.
    return undefined
  }
}

/** For how long what others have kept stays although V8 does not take it here: machines that differ may share a home. */
const STAYS_MS = 600_000

function keep(): void {
  const temporary = `${place}.${process.pid}.${Math.random().toString(36).slice(2)}`
  try {
    const known = fs.statSync(place, { throwIfNoEntry: false })
    if (known !== undefined && Date.now() - known.mtimeMs < STAYS_MS) return
    // While the package is being replaced, this file and that one may be of two versions.
    if (!isOfSource()) return
    const data = script.createCachedData()
    fs.writeFileSync(temporary, Buffer.concat([data, data]), { flag: 'wx', mode: 0o600 })
    // CRASH: until here there is a file that nobody reads. Of several that keep theirs at once, any may be the last.
    fs.renameSync(temporary, place)
  } catch {
    // No permission, or no room: children go on without, which is only slower.
    discard(temporary)
  }
}

function isOfSource(): boolean {
  const { createHash } = require('node:crypto') as typeof import('node:crypto')
  return createHash('sha256').update(source).digest('hex').startsWith(CODE_HASH)
}

function discard(file: string): void {
  try {
    fs.unlinkSync(file)
  } catch {
    // It was never there, or nobody may remove it.
  }
}
