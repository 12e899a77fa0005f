/**
 * Builds and runs the C tests of `native/test` under the sanitizers. Run:
 * `node scripts/test-native.mjs [variant] [part of a title]`, variant one of address, thread, plain; or
 * `node scripts/test-native.mjs --target linux-arm64-musl [part of a title]`, as `build-native.mjs` names targets.
 *
 * The one thing to know: no Node is involved; they test `platform.h` and `session.h`, once with
 * AddressSanitizer and UBSan, once with ThreadSanitizer, because those two exclude each other.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ToolchainError,
  addonPlan,
  compile,
  coreSources,
  dialect,
  findCompiler,
  hostTarget,
  nativeDir,
  nodeApiHeaders,
  platformSources,
  runScript,
  unsupported,
  warnings,
} from './native-toolchain.mjs'

const DEADLINE_MS = 300_000

const variants = {
  address: {
    flags: ['-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all'],
    env: { ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1' },
  },
  thread: {
    flags: ['-O1', '-fsanitize=thread'],
    env: { TSAN_OPTIONS: 'halt_on_error=1:second_deadlock_stack=1' },
  },
  plain: { flags: ['-O2'], env: {} },
}

/** What runs the programs of other machines, by what `process.arch` says there. */
const emulators = { arm64: 'qemu-aarch64' }

const common = [...dialect, ...warnings, '-g', '-fno-omit-frame-pointer']

function testSources(target) {
  const tests = readdirSync(join(nativeDir, 'test')).filter((name) => name.endsWith('.c'))
  return [...coreSources, ...platformSources(target), ...tests.map((name) => join('test', name))]
}

function run(name, file, filter) {
  const { env } = variants[name]
  const options = { stdio: 'inherit', env: { ...process.env, ...env }, timeout: DEADLINE_MS }
  const result = spawnSync(file, filter, { ...options, killSignal: 'SIGKILL' })
  if (result.error) throw new ToolchainError(`${name}: ${result.error.message}`)
  if (result.status !== 0) {
    throw new ToolchainError(`${name}: failed (${result.signal ?? `exit code ${result.status}`})`)
  }
}

/** Builds the addon as another system would have it: it must load there, to say what it lacks. */
function checkUnsupported(compiler, folder) {
  const plan = addonPlan(hostTarget())
  const others = new Set(platformSources())
  const sources = plan.sources.filter((name) => !others.has(name))
  const file = join(folder, 'unsupported.node')
  const flags = [...plan.compile, '-isystem', nodeApiHeaders(), ...plan.link]
  compile(compiler, [...flags, ...sources, ...unsupported, '-o', file])
  const script = `try { require(${JSON.stringify(file)}) } catch (e) { console.log(e.code, e.message) }`
  const result = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', timeout: 60_000 })
  if (!/^ERR_MP_UNSUPPORTED .*implemented for Linux only/.test(result.stdout)) {
    throw new ToolchainError(`unsupported.c: unexpected answer: ${result.stdout}${result.stderr}`)
  }
}

/** The plain tests as another C library, or another machine in an emulator, has them; without Node. */
function testFor(target, filter) {
  const compiler = findCompiler(target)
  const folder = mkdtempSync(join(tmpdir(), 'mp-native-'))
  try {
    const file = join(folder, target)
    compile(compiler, [
      ...common,
      ...variants.plain.flags,
      '-static',
      ...testSources(target),
      '-o',
      file,
    ])
    const [, arch] = target.split('-')
    console.log(`${target}:`)
    if (arch === process.arch) return run('plain', file, filter)
    variants.plain.env = { MP_TEST_EMULATED: '1' }
    run('plain', emulators[arch], [file, ...filter])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function test() {
  const [wanted, ...filter] = process.argv.slice(2)
  if (wanted === '--target') return testFor(filter[0], filter.slice(1))
  if (wanted !== undefined && !(wanted in variants)) {
    throw new ToolchainError(`no variant ${wanted}; there are ${Object.keys(variants).join(', ')}`)
  }
  const compiler = findCompiler()
  const folder = mkdtempSync(join(tmpdir(), 'mp-native-'))
  try {
    for (const name of wanted === undefined ? ['address', 'thread'] : [wanted]) {
      const file = join(folder, name)
      compile(compiler, [...common, ...variants[name].flags, ...testSources(), '-o', file])
      console.log(`${name}:`)
      run(name, file, filter)
    }
    checkUnsupported(compiler, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

runScript('test-native', test)
