/**
 * Looks at the site in a real Chromium, on a phone and on a desktop: `node website/look.mjs FOLDER`, after `pnpm site`.
 *
 * Screenshots go into FOLDER, for people to look at. What a program can judge is judged: no page (the API reference apart) is
 * wider than its screen or reports an error, the phone's menu opens, and the search finds. `CHROMIUM` names the browser if it is not `chromium`.
 */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { serve } from 'vitepress'

const folder = process.argv[2] ?? 'screenshots'
mkdirSync(folder, { recursive: true })
const port = 4174
const base = `http://localhost:${port}`
const paths = [
  ['home', '/'],
  ['tutorial', '/tutorial.html'],
  ['pools', '/guide/pools.html'],
  ['from-python', '/from-python.html'],
  ['from-node-pools', '/from-node-pools.html'],
  ['reliability', '/reliability.html'],
  ['performance', '/guide/performance.html'],
  ['benchmark-results', '/benchmark-results.html'],
  ['security', '/security.html'],
  ['api', '/api/'],
  ['api-pool', '/api/@mp/pool/classes/Pool.html'],
]
/** Of these there are no screenshots. */
const others = readdirSync(new URL('dist', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.html') && !file.startsWith('api/') && file !== '404.html')
  .map((file) => `/${file}`)
  .filter((path) => !paths.some(([, known]) => known === path.replace(/^\/index\.html$/, '/')))
const screens = {
  phone: {
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  },
  desktop: { viewport: { width: 1440, height: 900 } },
}

const executablePath = execFileSync('which', [process.env['CHROMIUM'] ?? 'chromium'])
  .toString()
  .trim()
await serve({ root: fileURLToPath(new URL('.', import.meta.url)), port })
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
const faults = []
for (const [screen, options] of Object.entries(screens)) {
  const context = await browser.newContext(options)
  const page = await context.newPage()
  page.on('pageerror', (error) => faults.push(`${screen} ${page.url()}: ${error.message}`))
  for (const [name, path] of paths) {
    await page.goto(base + path, { waitUntil: 'networkidle' })
    await shoot(page, `${screen}-${name}`)
    const table = page.locator('.vp-doc table').first()
    if ((await table.count()) > 0) {
      await table.evaluate((element) => element.scrollIntoView())
      await shoot(page, `${screen}-${name}-table`)
    }
    await checkWidth(page, `${screen} ${path}`)
  }
  for (const path of others) {
    await page.goto(base + path, { waitUntil: 'load' })
    await checkWidth(page, `${screen} ${path}`)
  }
  await page.goto(`${base}/guide/pools.html`, { waitUntil: 'networkidle' })
  if (screen === 'phone') {
    await page.locator('.VPLocalNav .menu').click()
    await page.locator('.VPSidebar.open').waitFor()
    await shoot(page, `${screen}-menu`)
    await page.goto(base, { waitUntil: 'networkidle' })
  }
  await page.locator('#local-search button').first().click()
  await page.locator('.search-input').fill('dead holder')
  await page.locator('.results .result').first().waitFor()
  await shoot(page, `${screen}-search`)
  await page.locator('.results .result').first().click()
  await page.waitForURL('**/*.html*')
  await context.close()
}
await browser.close()
if (faults.length > 0) console.error(faults.join('\n'))
else console.log(`no faults; the screenshots are in ${folder}`)
process.exit(faults.length > 0 ? 1 : 0)

async function checkWidth(page, what) {
  const [wide, width] = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
  if (wide > width) faults.push(`${what}: ${wide} pixels wide on a screen of ${width}`)
}

/** Animations are over in it. */
async function shoot(page, name) {
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' })
}
