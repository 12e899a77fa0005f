/**
 * Builds `build/<platform>-<arch>/native.node`. Run: `node scripts/build-native.mjs [--force]`.
 *
 * The one thing to know: it does nothing when sources, flags, headers and compiler are the ones of
 * the last build (a hash beside the result says so), and replaces the result atomically, so a
 * process that has the old one mapped keeps it whole.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import {
  addonPlan,
  compile,
  findCompiler,
  nativeDir,
  nodeApiHeaders,
  packageRoot,
  runScript,
} from './native-toolchain.mjs'

/** A hash of everything that the result depends on. */
function fingerprint(plan, compiler, headers) {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([plan, compiler, process.platform, process.arch]))
  const local = readdirSync(nativeDir).filter((name) => /\.[ch]$/.test(name))
  for (const name of local.sort()) hash.update(readFileSync(join(nativeDir, name)))
  for (const name of readdirSync(headers).sort()) hash.update(readFileSync(join(headers, name)))
  return hash.digest('hex')
}

function build() {
  const plan = addonPlan(process.platform)
  const compiler = findCompiler()
  const headers = nodeApiHeaders()
  const folder = join(packageRoot, 'build', `${process.platform}-${process.arch}`)
  const target = join(folder, 'native.node')
  const stamp = join(folder, 'native.stamp')
  const wanted = fingerprint(plan, compiler, headers)
  const shown = relative(packageRoot, target)

  const current = existsSync(target) && existsSync(stamp) && readFileSync(stamp, 'utf8')
  if (current === wanted && !process.argv.includes('--force')) {
    console.log(`${shown} is up to date`)
    return
  }
  mkdirSync(folder, { recursive: true })
  const partial = join(folder, `native.${process.pid}.partial`)
  try {
    // -isystem: our warnings are for our sources.
    compile(compiler, [
      ...plan.compile,
      '-isystem',
      headers,
      ...plan.sources,
      ...plan.link,
      '-o',
      partial,
    ])
    renameSync(partial, target)
  } finally {
    rmSync(partial, { force: true })
  }
  writeFileSync(stamp, wanted)
  console.log(`${shown} built with ${compiler.version}`)
}

runScript('build-native', build)
