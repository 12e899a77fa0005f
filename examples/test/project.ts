/**
 * A project for the programs of the documentation: the packages are installed in it, and the compiler checks it.
 */
import { type Outcome, runProgram } from 'mp-internal'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

export class Project {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'project-'))

  /** Makes it, with these files by their paths; the options are those of the compiler beside our own. */
  constructor(files: Iterable<readonly [string, string]>, compilerOptions: object = {}) {
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'))
    this.#write('package.json', '{ "type": "module" }')
    const options = {
      composite: false,
      declaration: false,
      declarationMap: false,
      isolatedDeclarations: false,
      rootDir: 'src',
      outDir: 'out',
      ...compilerOptions,
    }
    const extended = join(root, 'tsconfig.base.json')
    this.#write(
      'tsconfig.json',
      JSON.stringify({ extends: extended, compilerOptions: options, include: ['src'] }),
    )
    for (const [path, text] of files) this.#write(join('src', path), text)
  }

  /** Compiles `src/` into `out/`. */
  compile(): Promise<Outcome> {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    return runProgram(process.execPath, { args: [tsc, '-p', this.folder] })
  }

  remove(): void {
    rmSync(this.folder, { recursive: true })
  }

  #write(path: string, text: string): void {
    const whole = join(this.folder, path)
    mkdirSync(dirname(whole), { recursive: true })
    writeFileSync(whole, text)
  }
}
