/**
 * The command line of the demo.
 *
 * @module
 */
import { cpuCount } from '@mp/multiprocessing'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const HELP = `Usage: demo [directory] [--processes N] [--limit MB]

  directory        what to read           (default: node_modules of this repository)
  --processes N    processes of the pool  (default: one for each CPU, here ${cpuCount()})
  --limit MB       how much to read       (default: 10 megabytes, taken from all over the directory)
`

const OPTIONS = {
  processes: { type: 'string', default: String(cpuCount()) },
  limit: { type: 'string', default: '10' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export interface Arguments {
  directory: string
  processes: number
  /** In bytes. */
  limit: number
}

/** Reads the command line; ends the program when there is something wrong with it. */
export function readArguments(): Arguments {
  const { values, positionals } = parse()
  if (values.help) {
    process.stdout.write(HELP)
    process.exit()
  }
  if (positionals.length > 1) fail(`there can be one directory, got ${positionals.join(' ')}`)
  const processes = Number(values.processes)
  if (!Number.isSafeInteger(processes) || processes < 1) {
    fail(`--processes has to be a positive integer, got ${values.processes}`)
  }
  const megabytes = Number(values.limit)
  if (!(megabytes > 0)) fail(`--limit has to be a positive number, got ${values.limit}`)
  const directory = resolve(
    positionals[0] ?? fileURLToPath(new URL('../../node_modules', import.meta.url)),
  )
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    fail(`there is no directory ${directory}`)
  }
  return { directory, processes, limit: megabytes * 1e6 }
}

/** Ends the program with a message. */
export function fail(message: string): never {
  console.error(`demo: ${message}`)
  process.exit(2)
}

function parse(): ReturnType<
  typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>
> {
  try {
    return parseArgs({ options: OPTIONS, allowPositionals: true })
  } catch (error) {
    return fail((error as Error).message)
  }
}
