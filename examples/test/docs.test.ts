/**
 * What the documentation says is true: every code block of docs/ is checked, and run where it is a program.
 *
 * All programs are compiled in one go, and those of a page run in one process, so that this stays quick.
 */
import { type Outcome, runProgram } from 'mp-internal'
import * as mp from '@mp/multiprocessing'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Block, blocksOf, examplesOf, nameOf, promisesOf } from './code-blocks.js'
import { Project } from './project.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const runner = fileURLToPath(new URL('run-blocks.mjs', import.meta.url))
const MARK = '--- end of program ---'

/** A program of a page, or a file that such a program imports. */
interface Program extends Block {
  readonly name: string
  readonly isMain: boolean
}

const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.md'))
  .sort()
const blocks = new Map(
  pages.map((page) => [page, blocksOf(readFileSync(join(root, 'docs', page), 'utf8'))]),
)
const programs = new Map(
  pages.map((page) => [page, programsOf(page)] as const).filter(([, own]) => own.length > 0),
)
let project: Project
let compiled: Outcome

beforeAll(async () => {
  const files = [...programs].flatMap(([page, own]) =>
    own.map(({ name, code }) => [join(folderOf(page), name), code] as const),
  )
  project = new Project([...files, ...docComments()], {
    moduleDetection: 'force',
    // A fragment may make something and stop there.
    noUnusedLocals: false,
  })
  compiled = await project.compile()
})

afterAll(() => project.remove())

test('every block is of a kind that is checked', () => {
  const kinds = new Set(['ts', 'python', 'sh', 'json', 'text'])
  const others = [...blocks].flatMap(([page, own]) =>
    own
      .filter(
        ({ language }) =>
          !kinds.has(language) && !(language === '' && page.startsWith('decisions/')),
      )
      .map(({ language, line }) => `${page}:${line}: \`\`\`${language}`),
  )
  expect(others).toEqual([])
})

test('the compiler accepts every program, and every example in a doc comment', () => {
  expect(docComments().length).toBeGreaterThan(20)
  expect(compiled).toMatchObject({ code: 0, stdout: '' })
})

test.each([...programs.keys()])('the programs of %s print what they say', async (page) => {
  const own = programs.get(page)!.filter(({ isMain }) => isMain)
  const paths = own.map(({ name }) => join(project.folder, 'out', folderOf(page), toJs(name)))
  const { code, stdout, stderr } = await runProgram(process.execPath, {
    args: ['--enable-source-maps', runner, MARK, ...paths],
    cwd: project.folder,
    timeoutMs: 28_000,
  })
  const printed = stdout.split(`${MARK}\n`)
  const reported = stderr.split(`${MARK}\n`)
  const ended = printed.length - 1
  if (ended < own.length) {
    const { line } = own[ended]
    throw new Error(
      `docs/${page}:${line} failed with ${code}:\n${printed[ended]}${reported[ended]}`,
    )
  }
  for (const [i, program] of own.entries()) {
    const promised = promisesOf(program)
    const where = `docs/${page}:${program.line}`
    const lines = printed[i].split('\n').map((line) => line.trim())
    expect({ where, lines }).toEqual({ where, lines: expect.arrayContaining(promised.stdout) })
    if (promised.stderr.length === 0)
      expect({ where, stderr: reported[i] }).toEqual({ where, stderr: '' })
    for (const text of promised.stderr) expect(reported[i]).toContain(text)
  }
  expect(code).toBe(0)
})

const python = findPython()

test.runIf(python !== undefined)('the programs in Python print what they say', async () => {
  const own = [...blocks].flatMap(([page, all]) =>
    all.filter(({ language }) => language === 'python').map((block) => ({ page, block })),
  )
  for (const [i, { page, block }] of own.entries()) {
    const file = join(project.folder, `block-${i}.py`)
    writeFileSync(file, block.code)
    const { code, stdout, stderr } = await runProgram(python!, { args: [file] })
    const where = `docs/${page}:${block.line}`
    expect({ where, code, stderr }).toEqual({ where, code: 0, stderr: '' })
    const { stdout: promised } = promisesOf(block)
    expect(stdout.split('\n')).toEqual(expect.arrayContaining(promised))
  }
})

test.runIf(python !== undefined)(
  'no public name of this Python is missing in our list',
  async () => {
    const program = `
import importlib, sys, types, multiprocessing as m, multiprocessing.managers as managers, multiprocessing.connection as c, multiprocessing.pool as p, multiprocessing.queues as q
import multiprocessing.shared_memory as s, multiprocessing.synchronize as y
public = lambda thing: [name for name in dir(thing) if not name.startswith('_')]
names = [name for name in public(m) if not isinstance(getattr(m, name), types.ModuleType)]
names += [f'AsyncResult.{name}' for name in public(p.AsyncResult)]
for owner in [m.Process, p.Pool, q.Queue, q.SimpleQueue, c.Connection, c.Listener,
              y.Condition, y.Event, y.Barrier, s.SharedMemory, s.ShareableList]:
    names += [f'{owner.__name__.replace("Base", "")}.{name}' for name in public(owner)]
# Of the modules inside: what they say that they export, or the classes that they define.
for part in ['pool', 'queues', 'synchronize', 'shared_memory', 'connection', 'managers', 'context', 'process', 'sharedctypes', 'reduction']:
    module = importlib.import_module('multiprocessing.' + part)
    own = lambda thing: isinstance(thing, type) and thing.__module__ == module.__name__ and not issubclass(thing, Exception)
    exported = getattr(module, '__all__', None) or [name for name in public(module) if own(getattr(module, name))]
    names += [name if name in names else f'{part}.{name}' for name in exported]
names += [f'BaseManager.{name}' for name in public(managers.BaseManager)]
names += [f'SharedMemoryManager.{name}' for name in public(managers.SharedMemoryManager) if name not in public(managers.BaseManager)]
if sys.version_info < (3, 15): print('\\n'.join(names))`
    const { code, stdout, stderr } = await runProgram(python!, { args: ['-c', program] })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const listed = new Set(pythonNames())
    const names = stdout.split('\n').filter((name) => name !== '')
    // A class of a module inside may stand in the list without it.
    const isListed = (name: string): boolean =>
      listed.has(name) || listed.has(name.replace(/^[a-z_]+\./, ''))
    expect(names.filter((name) => !isListed(name))).toEqual([])
  },
)

test('commands in the documentation exist', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const known = (command: string): boolean => {
    const words = command.replace(/^(\w+=\S+ )+/, '').split(' ')
    if (words[0] === 'npx' && words[1] === 'tsx') return isThere('examples', words[2])
    if (words[0] === 'npx' && words[2]?.startsWith('pnpm@')) words.splice(0, 3, 'pnpm')
    if (words[0] === 'pnpm')
      return ['install', 'exec', 'vitest'].includes(words[1]) || words[1] in scripts
    if (words[0] === 'cd') return isThere('', words[1])
    if (words[0] === 'node') return words.some((word) => /\.m?js$/.test(word))
    return ['npm', 'esbuild', 'cc'].includes(words[0] === 'npx' ? words[1] : words[0])
  }
  const unknown = [...blocks].flatMap(([page, own]) =>
    own
      .filter(({ language }) => language === 'sh')
      .flatMap(({ code }) => code.split('\n'))
      .map((line) => line.replace(/ *#.*$/, '').trim())
      .filter((line) => line !== '' && !known(line))
      .map((line) => `${page}: ${line}`),
  )
  expect(unknown).toEqual([])
})

test('JSON in the documentation is JSON', () => {
  for (const own of blocks.values()) {
    for (const { language, code } of own) if (language === 'json') JSON.parse(code)
  }
})

test('"Coming from Python" has every public name of multiprocessing, and names of ours that exist', () => {
  const [page] = readFileSync(join(root, 'docs/from-python.md'), 'utf8').split('## Idioms')
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|').slice(1, 3))
  const theirs = new Set(rows.flatMap(([names]) => spans(names)))
  expect(pythonNames().filter((name) => !theirs.has(name))).toEqual([])
  const ours = new Set(Object.keys(mp))
  const classes = rows
    .flatMap(([, span]) => spans(span))
    .flatMap((span) => {
      const [, name, member] = /^(?:new )?([A-Za-z]+)(?:\.(\w+))?/.exec(span) ?? []
      return name === undefined ? [] : [{ span, name, member }]
    })
  const wrong = classes.filter(({ name, member }) => {
    if (!ours.has(name)) return true
    return member !== undefined && !hasMember((mp as Record<string, unknown>)[name], member)
  })
  expect(wrong.map(({ span }) => span)).toEqual([])
})

/** The examples in the doc comments of the packages, by the names of their files here. */
function docComments(): [name: string, code: string][] {
  const exported = new Set(Object.keys(mp))
  const packages = join(root, 'packages')
  return readdirSync(packages)
    .flatMap((name) =>
      readdirSync(join(packages, name, 'src'), { recursive: true, encoding: 'utf8' }).map((path) =>
        join(name, 'src', path),
      ),
    )
    .filter((path) => path.endsWith('.ts'))
    .flatMap((path) =>
      examplesOf(readFileSync(join(packages, path), 'utf8'), exported).map(
        (code, i): [string, string] => [
          `${path.replaceAll('/', '-').slice(0, -3)}-${i + 1}.ts`,
          code,
        ],
      ),
    )
}

function pythonNames(): string[] {
  return readFileSync(join(root, 'examples/test/python-names.txt'), 'utf8').trim().split('\n')
}

function spans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1])
}

/** Whether a class has instances with such a member, or has it itself. */
function hasMember(owner: unknown, member: string): boolean {
  if (typeof owner !== 'function') return false
  for (
    let proto = owner.prototype as object | null;
    proto;
    proto = Object.getPrototypeOf(proto) as object | null
  ) {
    if (Object.hasOwn(proto, member)) return true
  }
  return member in owner || new RegExp(`\\b${member}\\b`).test(String(owner))
}

function programsOf(page: string): Program[] {
  return blocks
    .get(page)!
    .filter(({ language }) => language === 'ts')
    .map((block) => {
      const name = nameOf(block)
      return { ...block, name: name ?? `line-${block.line}.ts`, isMain: name === undefined }
    })
}

function folderOf(page: string): string {
  return page.replace(/\.md$/, '').replaceAll('/', '-')
}

function toJs(name: string): string {
  return basename(name).replace(/ts$/, 'js')
}

function isThere(folder: string, path: string | undefined): boolean {
  return path !== undefined && (path === 'play.ts' || existsSync(join(root, folder, path)))
}

function findPython(): string | undefined {
  try {
    execFileSync('python3', ['-c', 'import multiprocessing'])
    return 'python3'
  } catch {
    return undefined // there is none: then there is nothing to compare with
  }
}
