/**
 * Makes the documentation site: `pnpm site`, from the root. What comes out is in `website/dist`.
 *
 * 1. `.site/` gets a copy of docs/ and of the other pages that belong to the site (`pages.mjs`);
 * 2. TypeDoc adds the API reference from the doc comments of the packages' sources (`api.mjs`);
 * 3. VitePress makes the site of it;
 * 4. every link and the search are tried (`check.mjs`).
 *
 * `--serve` also shows the site on a local port, until it is interrupted.
 */
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build, serve } from 'vitepress'
import { writeApi } from './api.mjs'
import { checkSite } from './check.mjs'
import { writePages } from './pages.mjs'

const here = fileURLToPath(new URL('.', import.meta.url))
const site = `${here}.site`
const dist = `${here}dist`

rmSync(site, { recursive: true, force: true })
const pages = await timed('pages', () => writePages(site))
const references = await timed('API reference', () => writeApi(site))
await timed('site', () => build(here))
await timed('checks', () => checkSite(dist))
console.log(`${pages} pages and ${references} of the API reference are in website/dist`)
if (process.argv.includes('--serve')) await serve({ root: here, port: 4173 })

/** Runs a step, and tells how long it took. */
async function timed(name, step) {
  const start = performance.now()
  const result = await step()
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`)
  return result
}
