/**
 * Projects of users, with packed packages installed in them.
 *
 * @module
 */
import { runProgram } from 'mp-internal'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root: string = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'node_modules/.bin')
const INSTALL_MS = 25_000

/** Runs a command that has to succeed; gives what it printed. */
export async function run(
  command: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(command, {
    args,
    cwd,
    env,
    timeoutMs: INSTALL_MS,
  })
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${stdout}\n${stderr}`)
  return stdout.trim()
}

/** Packs all packages into a folder; gives the files by the packages' names. */
export async function packAll(folder: string): Promise<Record<string, string>> {
  const names = readdirSync(join(root, 'packages'))
  await Promise.all(
    names.map((name) =>
      run(join(bin, 'pnpm'), ['pack', '--pack-destination', folder], join(root, 'packages', name)),
    ),
  )
  return Object.fromEntries(names.map((name) => [name, join(folder, `mp-${name}-0.0.0.tgz`)]))
}

/** Makes a project that depends on one package. */
export function makeProject(
  folder: string,
  name: string,
  files: Readonly<Record<string, string>>,
): void {
  // What it is built on comes from the same place; else it would be looked for in a registry.
  const sources = Object.fromEntries(
    Object.entries(files).map(([other, file]) => [`@mp/${other}`, `file:${file}`]),
  )
  const dependencies = { [`@mp/${name}`]: sources[`@mp/${name}`] }
  const { [`@mp/${name}`]: _, ...overrides } = sources
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', dependencies, overrides, pnpm: { overrides } }),
  )
  writeFileSync(join(folder, 'pnpm-workspace.yaml'), '')
}

/** The ways to install. */
export const installers: Readonly<Record<string, (folder: string) => Promise<string>>> = {
  npm: (folder) => run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], folder),
  pnpm: (folder) => run(join(bin, 'pnpm'), ['install', '--prefer-offline'], folder, { CI: '' }),
}

/** The packages of ours that are installed in a project, wherever the installer has put them. */
export async function installedPackages(folder: string): Promise<string[]> {
  const found = await run('find', ['node_modules', '-path', '*/@mp/*', '-prune', '-print'], folder)
  return [...new Set(found.split('\n').map((path) => path.replace(/^.*@mp\//, '')))].toSorted()
}

/** This Node, and the others that the gate has installed. */
export function nodes(): string[] {
  const installed = join(root, '.ci/node_modules')
  const others = existsSync(installed) ? readdirSync(installed) : []
  return [
    process.execPath,
    ...others
      .filter((entry) => /^node-\d+$/.test(entry))
      .map((entry) => join(installed, entry, 'bin/node'))
      .filter((path) => existsSync(path)),
  ]
}
