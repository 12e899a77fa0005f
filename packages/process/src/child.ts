/**
 * The file that a spawned process is started with: it runs `child-code.cjs`, in which is all that a plain child needs.
 *
 * Node's compile cache has a file as it is before it runs, so that each function of it is compiled when it is called
 * first, in every child again: a third of what a child's start took. Here the code is kept as it is when a child is ready, with
 * all that every child calls.
 *
 * @module
 */
import { KeptScript } from '@mp/shared-memory/internal'
import { readFileSync } from 'node:fs'

/** Of the package, from the build. */
declare const VERSION: string

/** What `child-code.cjs` is: a function of what only a module has, and of what is to be called when the child is ready. */
type Code = (
  require: NodeJS.Require,
  childDirectory: string,
  onReady: (() => void) | undefined,
) => void

const [, , , , isCached, place] = process.argv
// The environment has a directory for compiled code that is not the program's: it would be inherited.
if (isCached === 'cached') delete process.env['NODE_COMPILE_CACHE']

const filename = `${__dirname}/child-code.cjs`
const bytes = readFileSync(filename)
const keptAt = place ? `${place}-${VERSION}` : ''
// All of it is ASCII.
const kept = new KeptScript({ text: bytes.toString('latin1'), bytes, filename, keptAt })
const code = kept.script.runInThisContext() as Code
code(
  require,
  __dirname,
  kept.isNew ? () => kept.keep(() => kept.script.createCachedData()) : undefined,
)
