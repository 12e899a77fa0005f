/**
 * What `build-native.mjs` and `test-native.mjs` share: the sources of each system, a compiler, flags.
 *
 * The one thing to know: nothing here needs node-gyp, Python or a download. Node-API is a stable C
 * interface, so the compiler and the headers of the `node-api-headers` package are enough.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)))
export const nativeDir = join(packageRoot, 'native')

const linux = [
  'linux-platform.c',
  'linux-segment.c',
  'linux-park.c',
  'linux-waiter.c',
  'linux-liveness.c',
  'linux-watch.c',
  'linux-exit.c',
  'linux-interrupt.c',
  'linux-poll.c',
  'linux-memory.c',
  'linux-named.c',
]

/** Copying a process with its threads is written for one target. */
const forkserver = {
  'linux-x64-glibc': [
    'linux-proc.c',
    'linux-clone-x64.c',
    'linux-freeze.c',
    'linux-rings.c',
    'linux-renew.c',
    'linux-quick-exit.c',
    'linux-touched.c',
    'linux-forkserver.c',
  ],
}
const noForkserver = ['no-forkserver.c']

/** The implementation of `platform.h` for systems that there is none for. */
export const unsupported = ['unsupported.c', ...noForkserver]

/** The implementation of `platform.h`, and how a loadable module is linked, by `process.platform`. */
const systems = {
  linux: {
    sources: (target) => [...linux, ...(forkserver[target] ?? noForkserver)],
    // nodelete: our threads outlive the worker that may have been alone in loading the addon.
    link: ['-shared', '-Wl,-z,nodelete', '-Wl,-z,now', '-Wl,-z,relro'],
  },
  darwin: {
    sources: () => unsupported,
    link: ['-bundle', '-undefined', 'dynamic_lookup'],
  },
}

/** Everything that is not Node: what the C tests link. */
export const coreSources = ['session.c']

const addonSources = [
  'addon.c',
  'addon-call.c',
  'addon-session.c',
  'addon-parking.c',
  'addon-liveness.c',
  'addon-named.c',
  'addon-run.c',
  'addon-forkserver.c',
  'addon-exits.c',
  'errors.c',
]

export const warnings = [
  '-Wall',
  '-Wextra',
  '-Werror',
  '-Wpedantic',
  '-Wshadow',
  '-Wconversion',
  '-Wstrict-prototypes',
  '-Wmissing-prototypes',
  '-Wold-style-definition',
  '-Wvla',
  '-Wformat=2',
  '-Wcast-align',
  '-Wundef',
]

export const dialect = ['-std=c11', '-D_GNU_SOURCE', '-pthread']

/** A failure that its message explains: what is missing, and what to do. */
export class ToolchainError extends Error {}

/** The sources and link flags of the addon for a target, which need not be this machine. */
export function addonPlan(target) {
  const [platform] = target.split('-')
  const system = systems[platform]
  if (system === undefined) {
    throw new ToolchainError(
      `there is no native part for ${platform}: @mp/shared-memory runs on Linux; ` +
        'on other systems the package can be installed but not used',
    )
  }
  return {
    sources: [...addonSources, ...coreSources, ...system.sources(target)],
    compile: [...dialect, ...warnings, '-O2', '-fPIC', '-fvisibility=hidden', '-DNAPI_VERSION=8'],
    link: system.link,
  }
}

/** The sources of `platform.h` for a target. */
export function platformSources(target = hostTarget()) {
  return systems[target.split('-')[0]]?.sources(target) ?? unsupported
}

/** Compilers for other machines than this one, as Debian and Alpine name them, by what they build for. */
const crossCompilers = {
  'linux-x64-glibc': [['x86_64-linux-gnu-gcc']],
  'linux-x64-musl': [['x86_64-linux-musl-gcc', ...kernelHeaders('x86_64')]],
  'linux-arm64-glibc': [['aarch64-linux-gnu-gcc']],
  'linux-arm64-musl': [['aarch64-linux-musl-gcc', ...kernelHeaders('aarch64')]],
}

/** The kernel's headers, behind those of the C library: Debian's compilers for musl have none. */
function kernelHeaders(machine) {
  const folders = ['/usr/include', `/usr/include/${machine}-linux-gnu`]
  return folders.flatMap((folder) => ['-idirafter', folder])
}

/** What binaries can be built for. */
export const targets = Object.keys(crossCompilers)

/** What a binary for this machine is built for: platform, architecture, and on Linux the C library. */
export function hostTarget() {
  const { platform, arch, report } = process
  if (platform !== 'linux') return `${platform}-${arch}`
  return `linux-${arch}-${report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'}`
}

/** Where the binary for a target is, in the package: `src/native.ts` looks for it there. */
export function binaryPath(target) {
  const [platform, arch, libc] = target.split('-')
  const name = libc === undefined ? 'node.napi' : `node.napi.${libc}`
  return join(packageRoot, 'prebuilds', `${platform}-${arch}`, `${name}.node`)
}

/** Finds a C compiler: `$CC`, which may carry arguments, else cc, gcc, clang, or one for the target; adds `$CFLAGS`. */
export function findCompiler(target = hostTarget()) {
  const flags = process.env.CFLAGS?.trim().split(/\s+/).filter(Boolean) ?? []
  const named = process.env.CC?.trim()
  const known = target === hostTarget() ? [['cc'], ['gcc'], ['clang']] : crossCompilers[target]
  if (known === undefined)
    throw new ToolchainError(`${target} is no target; there are: ${targets.join(', ')}`)
  const candidates = named ? [named.split(/\s+/)] : known
  for (const command of candidates) {
    const result = spawnSync(command[0], [...command.slice(1), '--version'], { encoding: 'utf8' })
    if (result.status !== 0) continue
    return { command: [...command, ...flags], version: result.stdout.split('\n', 1)[0] }
  }
  const tried = candidates.map((command) => command.join(' ')).join(', ')
  throw new ToolchainError(
    `no C compiler works (tried ${tried}): install gcc or clang for ${target}, e.g. ` +
      '`apt-get install gcc libc6-dev`, `apk add gcc musl-dev linux-headers` or ' +
      '`dnf install gcc glibc-devel`, or name one in $CC',
  )
}

/** The folder of node_api.h. */
export function nodeApiHeaders() {
  const require = createRequire(import.meta.url)
  try {
    return require('node-api-headers').include_dir
  } catch (cause) {
    throw new ToolchainError(
      'the package node-api-headers is missing: run `pnpm install` with development dependencies',
      { cause },
    )
  }
}

/** Runs the compiler in `native/`, showing what it says; throws when it fails. */
export function compile(compiler, args) {
  const [file, ...first] = compiler.command
  const result = spawnSync(file, [...first, ...args], { cwd: nativeDir, encoding: 'utf8' })
  process.stderr.write(result.stderr ?? '')
  if (result.error) throw new ToolchainError(`cannot run ${file}: ${result.error.message}`)
  if (result.status === 0) return
  const header = /fatal error: (\S+?):? (?:No such file|file not found)/.exec(result.stderr)?.[1]
  throw new ToolchainError(
    header === undefined
      ? `${file} failed (${result.signal ?? `exit code ${result.status}`}); its messages are above`
      : `the header ${header} is missing: install the C library's and the kernel's headers, e.g. ` +
          '`apt-get install libc6-dev` or `apk add musl-dev linux-headers`',
  )
}

/** Runs `main`; explains a failure in one line and makes it the exit code. */
export function runScript(name, main) {
  try {
    main()
  } catch (error) {
    if (!(error instanceof ToolchainError)) throw error
    console.error(`${name}: ${error.message}`)
    process.exitCode = 1
  }
}
