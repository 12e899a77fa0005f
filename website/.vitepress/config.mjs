/** How the site looks and what its menus show. The pages are put into `.site/` by `build.mjs`. */
import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { searchOptions } from '../search-options.mjs'

const site = fileURLToPath(new URL('../.site/', import.meta.url))

/** The first heading of each page of a folder, in the order of their names. */
function pagesOf(folder) {
  return readdirSync(`${site}${folder}`)
    .filter((name) => name.endsWith('.md') && name !== 'index.md')
    .sort()
    .map((name) => ({
      text: /^# (.*)$/m.exec(readFileSync(`${site}${folder}/${name}`, 'utf8'))?.[1] ?? name,
      link: `/${folder}/${name.replace(/\.md$/, '')}`,
    }))
}

const guides = [
  ['Processes', 'processes'],
  ['Sharing functions', 'functions'],
  ['Locks and their like', 'locks'],
  ['Queues and pipes', 'queues-and-pipes'],
  ['Pools', 'pools'],
  ['Executors and futures', 'executors'],
  ['Shared memory', 'shared-memory'],
  ['Start methods', 'start-methods'],
  ['When things die', 'deaths'],
  ['Performance', 'performance'],
  ['Debugging', 'debugging'],
  ['TypeScript and bundlers', 'typescript-and-bundlers'],
].map(([text, name]) => ({ text, link: `/guide/${name}` }))

const handbook = [
  {
    text: 'Begin',
    items: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Coming from Python', link: '/from-python' },
      { text: 'Coming from piscina, workerpool, worker_threads', link: '/from-node-pools' },
      { text: 'Examples', link: '/examples' },
    ],
  },
  { text: 'Guides', items: guides },
  { text: 'Packages', collapsed: true, items: pagesOf('packages') },
  {
    text: 'How it works',
    collapsed: true,
    items: [
      { text: 'Reliability', link: '/reliability' },
      { text: 'Platforms', link: '/platforms' },
      { text: 'Protocols', link: '/protocols/' },
      { text: 'Protocols of the core', link: '/protocols/core' },
      { text: 'Protocols of the primitives', link: '/protocols/primitives' },
      { text: 'Benchmarks', link: '/benchmarks' },
      { text: 'What was measured', link: '/benchmark-results' },
      { text: 'Security', link: '/security' },
      { text: 'Contributing', link: '/contributing' },
    ],
  },
  {
    text: 'Decisions',
    collapsed: true,
    items: [{ text: 'All decisions', link: '/decisions/' }, ...pagesOf('decisions')],
  },
]

const api = JSON.parse(readFileSync(`${site}api/typedoc-sidebar.json`, 'utf8'))

export default {
  srcDir: '.site',
  outDir: 'dist',
  // For a site that does not stand at the root of its host.
  base: process.env['SITE_BASE'] ?? '/',
  title: '@mp/multiprocessing',
  description:
    "Python's multiprocessing for Node.js: processes that share locks, queues, pipes and memory",
  lang: 'en',
  cleanUrls: false,
  head: [['link', { rel: 'icon', href: `${process.env['SITE_BASE'] ?? '/'}icon.svg` }]],
  // The search index is one chunk, which is loaded with the first search.
  vite: { build: { chunkSizeWarningLimit: 2500 } },
  themeConfig: {
    logo: '/icon.svg',
    search: { provider: 'local', options: { miniSearch: { searchOptions } } },
    outline: [2, 3],
    nav: [
      { text: 'Tutorial', link: '/tutorial' },
      { text: 'Guides', link: '/guide/processes', activeMatch: '^/guide/' },
      { text: 'From Python', link: '/from-python' },
      { text: 'API', link: '/api/', activeMatch: '^/api/' },
    ],
    sidebar: { '/': handbook, '/api/': [{ text: 'API reference', link: '/api/', items: api }] },
    docFooter: { prev: 'Before this', next: 'After this' },
  },
}
