/**
 * The pages that are written by hand, put where the site has them.
 *
 * All of docs/, and the documents that stand beside the code. Links between them are rewritten to where they go; a link to
 * a file that is no page, such as a source, becomes its text.
 */
import { cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Documents outside docs/, and their places in the site. */
const elsewhere = new Map([
  ['packages/shared-memory/src/README.md', 'protocols/core.md'],
  ['packages/sync/src/README.md', 'protocols/primitives.md'],
  ['benchmarks/README.md', 'benchmarks.md'],
  ['benchmarks/results/README.md', 'benchmark-results.md'],
  ['CONTRIBUTING.md', 'contributing.md'],
  ['SECURITY.md', 'security.md'],
  ...readdirSync(join(root, 'packages')).map((name) => [
    `packages/${name}/README.md`,
    `packages/${name}.md`,
  ]),
])

/** Where the pictures of pages are, and their folder in the site. */
const pictures = 'benchmarks/results'

/** Writes all pages into `site`; gives their number. */
export function writePages(site) {
  const places = new Map([
    ...docs().map((path) => [`docs/${path}`, path.replace('README.md', 'index.md')]),
    ...elsewhere,
  ])
  for (const [source, place] of places) {
    const text = readFileSync(join(root, source), 'utf8')
    write(join(site, place), relink(withExamples(text), source, place, places))
  }
  cpSync(fileURLToPath(new URL('public', import.meta.url)), join(site, 'public'), {
    recursive: true,
  })
  cpSync(join(root, pictures), join(site, 'public', pictures), {
    recursive: true,
    filter: (path) => !path.endsWith('.md'),
  })
  return places.size
}

function docs() {
  return readdirSync(join(root, 'docs'), { recursive: true })
    .filter((path) => path.endsWith('.md'))
    .map((path) => path.replaceAll('\\', '/'))
}

/** `<!-- example: NAME -->` becomes the program of that name. */
function withExamples(text) {
  return text.replace(/^<!-- example: (\S+) -->$/gm, (_, name) => {
    const code = readFileSync(join(root, 'examples', name), 'utf8')
    return `\`\`\`ts\n${code.trimEnd()}\n\`\`\``
  })
}

/** Rewrites the relative links and the pictures of a document; not those in code. */
function relink(text, source, place, places) {
  // Whichever of these begins first is taken as a whole: a block of code, a link, code in a line.
  const parts = /^```[^]*?^```$|(!?)\[((?:`[^`]*`|[^\][])*)\]\(([^()\s]+)\)|`[^`\n]+`/gm
  return text.replace(parts, (whole, image, label, target) => {
    if (target === undefined || /^([a-z]+:|#|\/)/.test(target)) return whole
    if (image !== '') return `![${label}](/${posix.join(dirname(source), target)})`
    const [path, anchor] = target.split('#')
    const found = placeOf(posix.join(dirname(source), path), places)
    if (found === undefined) return label
    const there = posix.relative(posix.dirname(place), found)
    return `[${label}](./${there}${anchor === undefined ? '' : `#${anchor}`})`
  })
}

/** The page of a file, or of the README of a folder. */
function placeOf(path, places) {
  const clean = path.replace(/\/$/, '')
  return places.get(clean) ?? places.get(`${clean}/README.md`) ?? places.get(`${clean}/index.md`)
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}
