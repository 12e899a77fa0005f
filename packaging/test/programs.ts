/**
 * A small program for each package, in the three ways in which one is written: ES module, CommonJS, TypeScript.
 *
 * @module
 */

/** What a program of a package imports and does. `body` prints `expected`, and may use `await`. */
interface Sample {
  readonly imports: string
  readonly body: string
  /** The body in TypeScript; left out: the same. */
  readonly typed?: string
  readonly expected: string
}

export const samples: Readonly<Record<string, Sample>> = {
  pickle: {
    imports: '{ dumps, loads }',
    body: 'const factor = 3; const f = loads(dumps((x) => x * factor)); console.log(f(14))',
    typed:
      'const factor = 3; const f = loads(dumps((x: number) => x * factor)) as (x: number) => number; console.log(f(14))',
    expected: '42',
  },
  'shared-memory': {
    imports: '{ SharedValue }',
    body: "const v = new SharedValue('i32', 40); v.add(2); console.log(v.value)",
    typed:
      "const v: SharedValue<'i32'> = new SharedValue('i32', 40); v.add(2); const n: number = v.value; console.log(n)",
    expected: '42',
  },
  sync: {
    imports: '{ Lock }',
    body: 'const lock = new Lock(); const guard = await lock.acquire(); console.log(lock.locked); guard.release()',
    typed:
      'const lock = new Lock(); const guard = await lock.acquire(); console.log(lock.locked); guard?.release()',
    expected: 'true',
  },
  queue: {
    imports: '{ Queue }',
    body: 'const queue = new Queue(); await queue.put({ n: 42 }); console.log((await queue.get()).n)',
    typed:
      'const queue = new Queue<{ n: number }>(); await queue.put({ n: 42 }); console.log((await queue.get()).n)',
    expected: '42',
  },
  pipe: {
    imports: '{ Pipe }',
    body: 'const [a, b] = Pipe(); await a.send([42]); console.log((await b.recv())[0])',
    typed: 'const [a, b] = Pipe<number[]>(); await a.send([42]); console.log((await b.recv())[0])',
    expected: '42',
  },
  process: {
    imports: '{ Process }',
    body: "const text = 'from a process'; const p = new Process({ target: () => console.log(text) }); p.start(); console.log(await p.join())",
    expected: 'from a process\n0',
  },
  pool: {
    imports: '{ Pool }',
    body: 'const pool = new Pool(2); const k = 2; console.log(`${await pool.map((x) => x * k, [1, 2, 3])}`); pool.terminate(); await pool.join()',
    expected: '2,4,6',
  },
  multiprocessing: {
    imports: '* as mp',
    body:
      'const q = new mp.Queue(); const n = 6; const p = new mp.Process({ target: () => q.putSync(n * 7) });' +
      " p.start(); console.log(await q.get()); await p.join(); const t = new mp.Process({ target: () => q.putSync(n), startMethod: 'thread' });" +
      ' t.start(); console.log(await q.get()); await t.join()',
    expected: '42\n6',
  },
}

/** The packages that come with a package, by what it is built on. */
export const brings: Readonly<Record<string, readonly string[]>> = {
  pickle: ['pickle'],
  'shared-memory': ['shared-memory'],
  sync: ['shared-memory', 'sync'],
  queue: ['pickle', 'queue', 'shared-memory'],
  pipe: ['pickle', 'pipe', 'shared-memory'],
  process: ['pickle', 'process', 'shared-memory'],
  pool: ['pickle', 'pool', 'process', 'shared-memory'],
  multiprocessing: Object.keys(samples).toSorted(),
}

/** As an ES module. */
export function moduleProgram(name: string): string {
  const { imports, body } = samples[name]
  return `import ${imports} from '@mp/${name}'\n${body}\n`
}

/** As a CommonJS module. */
export function commonProgram(name: string): string {
  const { imports, body } = samples[name]
  return `const ${imports.replace('* as ', '')} = require('@mp/${name}')\nasync function main() { ${body} }\nmain()\n`
}

/** As a strict TypeScript module, to be compiled. */
export function typedProgram(name: string): string {
  const { imports, body, typed } = samples[name]
  return `import ${imports} from '@mp/${name}'\n${typed ?? body}\n`
}
