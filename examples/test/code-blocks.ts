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
