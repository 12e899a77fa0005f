/**
 * A real job: reads the text files of a directory, counts the words of each, hashes and compresses it; first with a
 * pool of processes on all CPUs, then in this process alone, and compares times and results.
 *
 *     npx --yes pnpm@10.34.9 demo [directory]
 *
 * `measure` is an ordinary function and `withPool` all it takes to run it in many processes.
 */
import { Pool, cpuCount } from '@mp/multiprocessing'
import cliProgress from 'cli-progress'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { brotliCompressSync } from 'node:zlib'
import { fail, readArguments } from './demo/arguments.js'
import { type Texts, findTexts } from './demo/find-texts.js'

/** What is computed of a file. */
interface Measures {
  path: string
  bytes: number
  words: number
  distinctWords: number
  sha256: string
  compressedBytes: number
}

/** The measures of a file, and the process that took them. */
interface Measured {
  pid: number
  measures: Measures
}

/** What a process has done. */
interface Share {
  files: number
  bytes: number
}

/** One way to do all the work. */
interface Run {
  seconds: number
  /** In the order of their paths. */
  measures: Measures[]
}

const bar = new cliProgress.SingleBar(
  {
    format: '  {bar} {percentage} % | {value} of {total} files | {shares}',
    stream: process.stdout, // where that is no terminal, nothing is drawn
    barsize: 16,
    clearOnComplete: true,
    linewrap: true, // else it changes how the terminal wraps, and leaves it so if it is killed
  },
  cliProgress.Presets.shades_classic,
)

process.once('SIGINT', () => {
  bar.stop()
  console.error('interrupted')
  process.exit(130) // the processes of the pool are daemons: they end with this one
})

const { directory, processes, limit } = readArguments()
const texts = await find(directory, limit)
const inPool = await report(`a pool of ${processes}`, withPool())
const inThis = await report('this process alone', alone())
compare(inPool, inThis)

/** The work on one file. It neither knows nor cares in which process it runs. */
function measure(path: string): Measured {
  const content = readFileSync(path)
  const words = content.toString().match(/[\p{L}\p{N}_]+/gu) ?? []
  const measures = {
    path,
    bytes: content.byteLength,
    words: words.length,
    distinctWords: new Set(words).size,
    sha256: createHash('sha256').update(content).digest('hex'),
    compressedBytes: brotliCompressSync(content).byteLength,
  }
  return { pid: process.pid, measures }
}

async function* withPool(): AsyncGenerator<Measured> {
  await using pool = new Pool({ processes, initializer: ignoreInterrupts })
  yield* pool.imapUnordered(measure, texts.paths)
}

async function* alone(): AsyncGenerator<Measured> {
  for (const path of texts.paths) {
    yield measure(path)
    await nextTurn() // or Ctrl-C would have to wait
  }
}

/** A terminal sends Ctrl-C to all its processes; what it means is for the main one to say. */
function ignoreInterrupts(): void {
  process.on('SIGINT', () => {})
}

async function find(directory: string, limit: number): Promise<Texts> {
  const texts = await findTexts(directory, limit).catch((error: unknown) =>
    fail(error instanceof Error ? error.message : String(error)),
  )
  const { paths, bytes, foundFiles, foundBytes, unreadable } = texts
  if (paths.length === 0) fail(`there are no text files in ${directory}`)
  console.log(`${directory}: ${foundFiles} files, ${megabytes(foundBytes)}`)
  if (unreadable > 0) console.log(`${unreadable} files and directories cannot be read`)
  console.log(`taken from all over it: ${paths.length} text files, ${megabytes(bytes)}`)
  return texts
}

/** Shows how the work goes on, and which process has done how much of it. */
async function report(title: string, work: AsyncIterable<Measured>): Promise<Run> {
  console.log(`\n${title}`)
  const start = performance.now()
  const all: Measures[] = []
  const shares = new Map<number, Share>()
  bar.start(texts.paths.length, 0, { shares: '' })
  for await (const { pid, measures } of work) {
    all.push(measures)
    const { files, bytes } = shares.get(pid) ?? { files: 0, bytes: 0 }
    shares.set(pid, { files: files + 1, bytes: bytes + measures.bytes })
    bar.increment({ shares: summary(shares) })
  }
  bar.stop()
  const seconds = (performance.now() - start) / 1000
  for (const [pid, own] of shares) {
    console.log(
      `  process ${pid}: ${percent(own)} of the work, ${own.files} files, ${megabytes(own.bytes)}`,
    )
  }
  console.log(`  ${seconds.toFixed(2)} s`)
  return { seconds, measures: all.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

function compare(one: Run, other: Run): void {
  const { measures } = one
  console.log(`\nspeed-up: ${(other.seconds / one.seconds).toFixed(2)} times on ${cpuCount()} CPUs`)
  if (!isDeepStrictEqual(measures, other.measures)) {
    console.error('results: DIFFERENT')
    process.exitCode = 1
    return
  }
  const from = megabytes(sum(measures, 'bytes'))
  const to = megabytes(sum(measures, 'compressedBytes'))
  console.log(`results: identical for all ${measures.length} files`)
  console.log(`  ${sum(measures, 'words')} words, ${from} compressed to ${to}`)
}

/** Short enough for a line. */
function summary(shares: ReadonlyMap<number, Share>): string {
  if (shares.size > 2) return `${shares.size} processes`
  return [...shares].map(([pid, own]) => `${pid}: ${percent(own)}`).join(', ')
}

/** By bytes: files differ too much in size to count them. */
function percent({ bytes }: Share): string {
  return `${Math.round((100 * bytes) / texts.bytes)} %`
}

function sum(all: Measures[], key: 'bytes' | 'words' | 'compressedBytes'): number {
  return all.reduce((total, one) => total + one[key], 0)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
