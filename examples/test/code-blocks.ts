/**
 * The code blocks of a document, and what they say that they print.
 *
 * A block of TypeScript is a program. One whose first line is a comment with a file name, such as `// work.ts`, is a file that
 * others of its page import. Promises are comments: after `console.log(…)` in its line, or alone in the lines below;
 * `// stderr: …` for what goes to stderr.
 */

export interface Block {
  /** As it stands after the three backticks. */
  readonly language: string
  readonly code: string
  /** Where it stands, for messages. */
  readonly line: number
}

/** All blocks of a document, in their order. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map((match) => ({
    language: match[1] ?? '',
    code: match[2] ?? '',
    line: markdown.slice(0, match.index).split('\n').length,
  }))
}

/** The name that a block gives itself by its first line. */
export function nameOf({ code }: Block): string | undefined {
  return /^\/\/ ([\w-]+\.[cm]?[jt]s)\n/.exec(code)?.[1]
}

/** The lines that a program says it prints. */
export function promisesOf({ code }: Block): { stdout: string[]; stderr: string[] } {
  const stdout: string[] = []
  const stderr: string[] = []
  let afterLog = false
  for (const line of code.split('\n')) {
    const alone = /^\s*(?:\/\/|#) (.*)$/.exec(line)?.[1]
    const told = /^\s*(?:console\.log|print)\(.*\)\s*(?:(?:\/\/|#) (.*))?$/.exec(line)
    if (alone?.startsWith('stderr: ')) stderr.push(alone.slice('stderr: '.length))
    else if (alone !== undefined && afterLog) stdout.push(alone)
    else afterLog = told !== null
    if (told?.[1] !== undefined) stdout.push(told[1])
  }
  return { stdout, stderr }
}

/**
 * The examples in the doc comments of a source, each as a module that the compiler can check.
 *
 * They are fragments: what the packages export is imported, and what else they name stands for something of the reader's.
 */
export function examplesOf(source: string, exported: ReadonlySet<string>): string[] {
  const comments = source.match(/\/\*\*[^]*?\*\//g) ?? []
  return comments.flatMap((comment) => {
    const text = comment.replace(/^\/\*\*|\*\/$/g, '').replace(/^ *\* ?/gm, '')
    const examples = text.split(/^@example *\n/m).slice(1)
    return examples.map((example) => moduleOf(example.replace(/^@\w[^]*/m, ''), exported))
  })
}

/** Names that stand for the same in every fragment; `any` would accept whatever is done with them. */
const CAST = new Map([
  ['lock', 'mp.Lock'],
  ['queue', 'mp.JoinableQueue<any>'],
  ['connection', 'mp.Connection<any>'],
  ['child', 'mp.Process'],
  ['stop', 'mp.Event'],
])

const KNOWN = new Set(
  'const let await using new if for of else break return async function true false null undefined console number string process'.split(
    ' ',
  ),
)

function moduleOf(fragment: string, exported: ReadonlySet<string>): string {
  const code = fragment.replace(/\/\/.*$|'[^'\n]*'|`[^`]*`/gm, "''")
  // Not what follows a dot, nor a key.
  const names = [...code.matchAll(/(?<![.\w$])[A-Za-z]\w*(?!\w*\s*:)/g)].map((match) => match[0])
  const own = new Set(
    [...code.matchAll(/\b(?:const|let|using) (?:\[([\w, ]+)\]|(\w+))|\((\w+): /g)].flatMap(
      (match) => (match[1] ?? match[2] ?? match[3] ?? '').split(', '),
    ),
  )
  const free = [...new Set(names)].filter((name) => !own.has(name) && !KNOWN.has(name))
  const imported = free.filter((name) => exported.has(name))
  const theirs = free.filter((name) => !exported.has(name) && !(name in globalThis))
  return [
    `import { ${imported.join(', ')} } from '@mp/multiprocessing'`,
    "import type * as mp from '@mp/multiprocessing'",
    ...theirs.map((name) => `declare const ${name}: ${CAST.get(name) ?? 'any'}`),
    'export async function example(): Promise<void> {\n  for (;;) {',
    fragment,
    '  }\n}\n',
  ].join('\n')
}
