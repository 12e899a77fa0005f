/**
 * Tries the site that was made: every link leads to a page and a heading that are there, every picture is, and the search finds.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { pathToFileURL } from 'node:url'
import MiniSearch from 'minisearch'
import { searchOptions } from './search-options.mjs'

/** What somebody looks for, and a page that must be among the first five that are found. */
const searches = [
  ['ownerDied', 'guide/deaths'],
  ['apply_async', 'from-python'],
  ['chunk size', 'guide/pools'],
  ['piscina', 'from-node-pools'],
  ['PicklingError', 'guide/functions'],
  ['forkserver', 'guide/start-methods'],
  ['JoinableQueue', 'JoinableQueue'],
  ['maxTasksPerChild', 'PoolOptions'],
]

/** Throws when something of the site in `dist` does not work. */
export async function checkSite(dist) {
  const faults = [...checkLinks(dist), ...(await checkSearch(dist))]
  if (faults.length > 0) throw new Error(`The site has faults:\n${faults.join('\n')}`)
}

function checkLinks(dist) {
  const base = process.env['SITE_BASE'] ?? '/'
  const paths = new Set(
    readdirSync(dist, { recursive: true }).map((path) => path.replaceAll('\\', '/')),
  )
  const pages = [...paths].filter((path) => path.endsWith('.html'))
  const html = new Map(pages.map((path) => [path, readFileSync(join(dist, path), 'utf8')]))
  const ids = new Map(
    [...html].map(([path, text]) => [
      path,
      new Set([...text.matchAll(/ id="([^"]+)"/g)].map((match) => decode(match[1]))),
    ]),
  )
  const faults = []
  for (const [page, text] of html) {
    for (const [, quoted] of text.matchAll(/<(?:a [^>]*href|img [^>]*src)="([^"]+)"/g)) {
      const href = decode(quoted)
      if (/^[a-z]+:/.test(href)) continue
      const [path, anchor] = href.split('#')
      let target = page
      if (path.startsWith(base)) target = path.slice(base.length)
      else if (path !== '') target = posix.join(dirname(page), path)
      if (target === '' || target.endsWith('/')) target += 'index.html'
      if (!paths.has(target)) faults.push(`${page}: ${href} leads nowhere`)
      else if (
        anchor &&
        target.endsWith('.html') &&
        !ids.get(target).has(decodeURIComponent(anchor))
      )
        faults.push(`${page}: ${href} leads to no heading`)
    }
  }
  return [...new Set(faults)]
}

function decode(text) {
  return text.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"')
}

/** Loads the index as the page does, and looks for things. */
async function checkSearch(dist) {
  const chunks = join(dist, 'assets/chunks')
  const name = readdirSync(chunks).find((each) => each.startsWith('@localSearchIndexroot'))
  if (name === undefined) return ['there is no search index']
  const { default: json } = await import(pathToFileURL(join(chunks, name)).href)
  const index = MiniSearch.loadJSON(json, {
    fields: ['title', 'titles', 'text'],
    storeFields: ['title', 'titles'],
    searchOptions,
  })
  return searches.flatMap(([words, page]) => {
    const found = index.search(words).map(({ id }) => id)
    const first = [...new Set(found.map((id) => id.split('#')[0]))].slice(0, 5)
    if (first.some((path) => path.includes(page))) return []
    return [`a search for "${words}" finds ${first.join(', ') || 'nothing'}, not ${page}`]
  })
}
