/**
 * Times `dumps` of a function by value: `node functions.js SPEC`. Prints microseconds.
 *
 * @module
 */
import { dumps, loads } from '@mp/pickle'
import { ensure, median } from './spec.js'

export interface FunctionSpec {
  /**
   * `first`: the first that this process sends by value, with all that is loaded for it. `later`: the slowest of some
   * others of the same file. The rest were sent before; `cached-assigned` captures a variable that functions assign,
   * which is read anew at every call. `anew`: functions that one place in the source makes anew, with other values.
   */
  readonly what:
    | 'first'
    | 'later'
    | 'cached-function'
    | 'cached-class'
    | 'cached-instance'
    | 'cached-assigned'
    | 'anew'
  /** How many calls of what was sent before. */
  readonly count: number
}

const { what, count } = JSON.parse(process.argv[2]) as FunctionSpec
const factor = 3
const list = [1, 2, 3]
let assigned = 0

const read = (x: number): number => x * factor + list.length
const assigns = (): number => ++assigned
class Job {
  static kind = 'job'
  n = 2
  run(): number {
    return this.n * factor + list.length
  }
}
const others: readonly unknown[] = [
  (x: number): number => x + 1,
  async (x: number): Promise<number> => x * factor,
  function* (): Generator<number> {
    yield factor
  },
  (x: number, y: number = factor): number => read(x) + y,
  class {
    run(): number {
      return factor
    }
  },
]

process.stdout.write(`${measure()}\n`)

function measure(): number {
  const first = time(read)
  ensure((loads(dumps(read)) as typeof read)(2) === 9, 'The function is not what was sent')
  switch (what) {
    case 'first':
      return first
    case 'later':
      return Math.max(...others.map(time))
    case 'cached-function':
      return timeCached(read)
    case 'cached-class':
      return timeCached(Job)
    case 'cached-instance':
      return timeCached(new Job())
    case 'anew':
      return median(Array.from({ length: count }, (_, n) => time((x: number) => x * n)))
    default:
      return timeCached(assigns)
  }
}

function time(value: unknown): number {
  const before = performance.now()
  dumps(value)
  return (performance.now() - before) * 1_000
}

function timeCached(value: unknown): number {
  dumps(value)
  return median(Array.from({ length: count }, () => time(value)))
}
