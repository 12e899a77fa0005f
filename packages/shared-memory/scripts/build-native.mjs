/**
 * Builds the addon: `node scripts/build-native.mjs [--force] [--target NAME]… [--all]`.
 *
 * Without a target for this machine alone; with `--all` for each that there is a compiler for. The result is where
 * prebuildify would put it, `prebuilds/<platform>-<arch>/node.napi.<libc>.node`. The one thing to know: it does nothing
 * when sources, flags, headers and compiler are the ones of the last build (a hash beside the result says so), and
 * replaces the result atomically, so a process that has the old one mapped keeps it whole.
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
import { dirname, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import {
  ToolchainError,
  addonPlan,
  binaryPath,
  compile,
  findCompiler,
  hostTarget,
  nativeDir,
  nodeApiHeaders,
  packageRoot,
  runScript,
  targets,
} from './native-toolchain.mjs'

/** A hash of everything that the result depends on. */
function fingerprint(target, plan, compiler, headers) {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([target, plan, compiler]))
  const local = readdirSync(nativeDir).filter((name) => /\.[ch]$/.test(name))
  for (const name of local.sort()) hash.update(readFileSync(join(nativeDir, name)))
  for (const name of readdirSync(headers).sort()) hash.update(readFileSync(join(headers, name)))
  return hash.digest('hex')
}

function build(target, isForced) {
  const plan = addonPlan(target)
  const compiler = findCompiler(target)
  const headers = nodeApiHeaders()
  const binary = binaryPath(target)
  const stamp = binary.replace(/node$/, 'stamp')
  const wanted = fingerprint(target, plan, compiler, headers)
  const shown = relative(packageRoot, binary)

  const current = existsSync(binary) && existsSync(stamp) && readFileSync(stamp, 'utf8')
  if (current === wanted && !isForced) {
    console.log(`${shown} is up to date`)
    return
  }
  mkdirSync(dirname(binary), { recursive: true })
  const partial = `${binary}.${process.pid}.partial`
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
    renameSync(partial, binary)
  } finally {
    rmSync(partial, { force: true })
  }
  writeFileSync(stamp, wanted)
  console.log(`${shown} built with ${compiler.version}`)
}

/** Builds for every target that there is a compiler for, and names the others. */
function buildAll(isForced) {
  for (const target of new Set([hostTarget(), ...targets])) {
    try {
      findCompiler(target)
    } catch (error) {
      if (!(error instanceof ToolchainError)) throw error
      console.log(`${target} left out: ${error.message.split(':', 1)[0]}`)
      continue
    }
    build(target, isForced)
  }
}

runScript('build-native', () => {
  const { values } = parseArgs({
    options: {
      force: { type: 'boolean', default: false },
      all: { type: 'boolean', default: false },
      target: { type: 'string', multiple: true, default: [] },
    },
  })
  if (values.all) return buildAll(values.force)
  const wanted = values.target.length === 0 ? [hostTarget()] : values.target
  for (const target of wanted) build(target, values.force)
})
