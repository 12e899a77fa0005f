/**
 * Shows what a release would be, and changes nothing: `pnpm release:dry-run [--keep FOLDER]`.
 *
 * In a copy of what is committed or lies in the work tree, changesets sets the versions and writes the changelogs; then each package is packed as it
 * would be published, with what is built here. Fails when
 *
 * - a package would not be released, or not with the version of the others;
 * - a package names another one by anything but exactly that version;
 * - a tarball misses a file that its package.json names, or has one that is neither built nor source.
 *
 * Binaries are those of this machine: the release workflow has those of all platforms. No registry is asked.
 */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values } = parseArgs({ options: { keep: { type: 'string' } } })
const copy = mkdtempSync(join(tmpdir(), 'mp-release-'))
const tarballs = values.keep === undefined ? join(copy, 'tarballs') : resolve(values.keep)
const faults = []

try {
  copyTree()
  const released = setVersions()
  for (const { name, version } of released) console.log(`${name} ${version}`)
  mkdirSync(tarballs, { recursive: true })
  for (const folder of readdirSync(join(copy, 'packages'))) checkPackage(folder, released)
} finally {
  rmSync(copy, { recursive: true })
}
if (faults.length > 0) {
  console.error(`\nThis cannot be released:\n${faults.join('\n')}`)
  process.exitCode = 1
}

/** What git knows or would take, and what is built of it. */
function copyTree() {
  const files = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], root)
  for (const path of files.split('\0')) {
    if (path !== '' && existsSync(join(root, path))) cpSync(join(root, path), join(copy, path))
  }
  const folders = readdirSync(join(root, 'packages'))
  for (const folder of folders) {
    // Where pnpm finds the versions of the others.
    const modules = join(copy, 'packages', folder, 'node_modules/@mp')
    mkdirSync(modules, { recursive: true })
    for (const other of folders) symlinkSync(join(copy, 'packages', other), join(modules, other))
    for (const built of ['dist', 'lib', 'prebuilds']) {
      const path = join('packages', folder, built)
      if (existsSync(join(root, path)))
        cpSync(join(root, path), join(copy, path), { recursive: true })
    }
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
}

/** Does what a release does to the versions; gives those of all packages. */
function setVersions() {
  // Changesets compares with the main branch; here everything is new.
  run('git', ['init', '--quiet', '--initial-branch=main'], copy)
  console.log(run(bin('changeset'), ['version'], copy).trim())
  const packages = readdirSync(join(copy, 'packages')).map((folder) => manifestOf(folder))
  const [{ version }] = packages
  for (const each of packages) {
    if (each.version === manifestIn(root, each.folder).version)
      faults.push(`${each.name}: no changeset raises its version`)
    if (each.version !== version)
      faults.push(`${each.name}: has version ${each.version}, another has ${version}`)
    const log = join(copy, 'packages', each.folder, 'CHANGELOG.md')
    if (!existsSync(log) || !readFileSync(log, 'utf8').includes(`## ${each.version}`))
      faults.push(`${each.name}: has no changelog of ${each.version}`)
  }
  const left = readdirSync(join(copy, '.changeset')).filter(
    (name) => name.endsWith('.md') && name !== 'README.md',
  )
  if (left.length > 0) faults.push(`these changesets were not used: ${left.join(', ')}`)
  return packages
}

/** Packs a package as `changeset publish` does, and looks into the tarball. */
function checkPackage(folder, released) {
  const from = join(copy, 'packages', folder)
  const text = run(bin('pnpm'), ['pack', '--json', '--pack-destination', tarballs], from)
  const { filename } = JSON.parse(text.slice(text.indexOf('{')))
  const tarball = resolve(from, filename)
  const files = run('tar', ['-tzf', tarball], from)
    .trim()
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
  const manifest = JSON.parse(run('tar', ['-xzOf', tarball, 'package/package.json'], from))
  const bytes = readFileSync(tarball).length
  const { name } = manifest
  console.log(
    `\n${name}-${manifest.version}: ${files.length} files, ${Math.ceil(bytes / 1024)} KiB`,
  )
  for (const [part, count] of countsOf(files)) console.log(`  ${part} ${count}`)

  for (const other of released) {
    const range = manifest.dependencies?.[other.name]
    if (range !== undefined && range !== other.version)
      faults.push(`${name}: asks for ${other.name} ${range}, not exactly ${other.version}`)
  }
  if (JSON.stringify(manifest).includes('workspace:')) faults.push(`${name}: names the workspace`)
  if (Object.keys(manifest.scripts ?? {}).some((script) => script.endsWith('install')))
    faults.push(`${name}: has an install script`)
  for (const path of targetsOf(manifest.exports)) {
    if (!files.includes(path)) faults.push(`${name}: ${path} is exported and not there`)
  }
  for (const needed of ['package.json', 'README.md', 'LICENSE']) {
    if (!files.includes(needed)) faults.push(`${name}: has no ${needed}`)
  }
  const known = /^(dist|lib|src|native|prebuilds|scripts)\/|^(package\.json|README\.md|LICENSE)$/
  for (const path of files) {
    if (!known.test(path) || /\.tsbuildinfo$|\.test\.|(^|\/)\.env/.test(path))
      faults.push(`${name}: ${path} does not belong there`)
  }
}

/** How many files each folder has, and what stands beside them. */
function countsOf(files) {
  const counts = new Map()
  for (const path of files) {
    const part = path.includes('/') ? `${path.split('/')[0]}/` : path
    counts.set(part, (counts.get(part) ?? 0) + 1)
  }
  return [...counts].map(([part, count]) => [part, part.endsWith('/') ? count : ''])
}

/** The files that `exports` leads to. */
function targetsOf(exports) {
  if (typeof exports === 'string') return [exports.replace(/^\.\//, '')]
  return Object.values(exports ?? {}).flatMap(targetsOf)
}

function manifestOf(folder) {
  return manifestIn(copy, folder)
}

function manifestIn(base, folder) {
  const { name, version } = JSON.parse(
    readFileSync(join(base, 'packages', folder, 'package.json'), 'utf8'),
  )
  return { folder, name, version }
}

function bin(name) {
  return join(root, 'node_modules/.bin', name)
}

function run(command, args, cwd) {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    // Else pnpm would install into the copy.
    env: { ...process.env, npm_config_verify_deps_before_run: 'false' },
    maxBuffer: 64 * 1024 * 1024,
  })
}
