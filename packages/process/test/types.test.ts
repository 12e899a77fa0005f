import { type Context, Process, type ProcessOptions, getContext } from '@mp/process'
import { expect, expectTypeOf, test } from 'vitest'

// What counts here is that this file compiles, and that each `@ts-expect-error` has an error.

function add(a: number, b: string): string {
  return b + a
}

test('the arguments are those of the target', () => {
  const child = new Process({ target: add, args: [1, 'x'] })
  expectTypeOf(child).toEqualTypeOf<Process<typeof add>>()
  new Process({ target: (name: string) => name, args: ['Bob'] })
  new Process({ target: (...names: string[]) => names })
  new Process({ target: (name?: string) => name })
  new Process({ target: () => 1 })
  new Process({ target: async (n: number) => n, args: [1], name: 'x', daemon: true })
  new Process()
  new Process({ name: 'x' })
  // @ts-expect-error the second is missing
  new Process({ target: add, args: [1] })
  // @ts-expect-error the second is a string
  new Process({ target: add, args: [1, 2] })
  // @ts-expect-error arguments are missing
  new Process({ target: add })
  // @ts-expect-error it takes none
  new Process({ target: () => 1, args: [1] })
  expectTypeOf<ProcessOptions<typeof add>['args']>().toEqualTypeOf<
    [a: number, b: string] | undefined
  >()
})

test('a subclass needs no target', () => {
  class Worker extends Process {
    readonly limit: number

    constructor(limit: number) {
      super({ name: 'worker', daemon: true })
      this.limit = limit
    }

    override async run(): Promise<void> {
      expectTypeOf(this.limit).toEqualTypeOf<number>()
    }
  }
  const worker = new Worker(1)
  expectTypeOf(worker.start).returns.toEqualTypeOf<Worker>()
  expect(worker.limit).toBe(1)
})

test('a context has the same Process', () => {
  const context = getContext('spawn')
  expectTypeOf(context).toEqualTypeOf<Context>()
  expectTypeOf(new context.Process({ target: add, args: [1, ''] })).toEqualTypeOf<
    Process<typeof add>
  >()
  // @ts-expect-error there is no such method
  expect(() => getContext('vfork')).toThrow(RangeError)
})

test('an exit code is a number or null', () => {
  const child = new Process()
  expectTypeOf(child.join).returns.resolves.toEqualTypeOf<number | null>()
  expectTypeOf(child.joinSync).returns.toEqualTypeOf<number | null>()
  expectTypeOf(child.exitCode).toEqualTypeOf<number | null>()
  expectTypeOf(child.pid).toEqualTypeOf<number | undefined>()
})
