/**
 * Writes all that tells of a run: `results.json`, `README.md` and charts into a folder, and a part of the front page.
 *
 * @module
 */
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Results, SCHEMA } from '../results.js'
import { drawAll } from './charts.js'
import { frontPage, page } from './markdown.js'

const BEGIN = '<!-- benchmarks: written by `pnpm bench` -->'
const END = '<!-- end of benchmarks -->'

/** The files of a run, by their names. */
export async function filesOf(results: Results): Promise<Map<string, string>> {
  const charts = await drawAll(results)
  return new Map([
    ['results.json', `${JSON.stringify(results, undefined, 1)}\n`],
    ['README.md', page(results, charts)],
    ...charts.map(({ file, svg }) => [file, svg] as const),
  ])
}

/** Writes the files of a run; charts of earlier runs go. */
export async function writeResults(results: Results, folder: string): Promise<void> {
  const files = await filesOf(results)
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.svg') && !files.has(name)) rmSync(join(folder, name))
  }
  for (const [name, text] of files) writeFileSync(join(folder, name), text)
}

/** The results that an earlier run has written. */
export function readResults(folder: string): Results {
  const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as {
    schema: number
  }
  if (results.schema !== SCHEMA)
    throw new Error(`These results are of form ${results.schema}, not ${SCHEMA}`)
  return results as Results
}

/** The front page with the part that tells of benchmarks written anew; `folder` is where the charts are from there. */
export async function withBenchmarks(
  text: string,
  results: Results,
  folder: string,
): Promise<string> {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`The front page has no ${BEGIN} before ${END}`)
  const part = frontPage(results, await drawAll(results), folder)
  return `${text.slice(0, begin + BEGIN.length)}\n\n${part}\n\n${text.slice(end)}`
}
