import {
  Barrier,
  Condition,
  type Guard,
  Lock,
  type LockLike,
  type RLock,
  RWLock,
  Semaphore,
  synchronized,
} from '@mp/sync'
import { expectTypeOf, test } from 'vitest'

test('the result of run is that of its function, unwrapped', () => {
  const lock = new Lock()
  expectTypeOf(lock.run<string>).returns.resolves.toEqualTypeOf<string>()
  expectTypeOf(lock.run<Promise<number>>).returns.resolves.toEqualTypeOf<number>()
  expectTypeOf(new Condition().waitFor<false | Promise<Date>>).returns.resolves.toEqualTypeOf<
    false | Date
  >()
  expectTypeOf(new Condition().waitForSync<number>).returns.toEqualTypeOf<number>()
})

test('acquiring gives a disposable guard or null', () => {
  expectTypeOf<Guard>().toExtend<Disposable>()
  expectTypeOf(new Lock().acquire).returns.resolves.toEqualTypeOf<Guard | null>()
  expectTypeOf(new Semaphore(1).acquireSync).returns.toEqualTypeOf<Guard | null>()
})

test('all that can be acquired is a LockLike', () => {
  expectTypeOf<Lock | RLock | Semaphore | Condition>().toExtend<LockLike>()
  expectTypeOf(new RWLock().read).toExtend<LockLike>()
  expectTypeOf(new RWLock().write).toExtend<LockLike>()
})

test('constructors take what they document', () => {
  expectTypeOf(Barrier).toBeConstructibleWith(2, { action: () => {}, timeout: 5 })
  expectTypeOf(Condition).toBeConstructibleWith(new Lock())
  expectTypeOf(Semaphore).toBeConstructibleWith(2)
})

test('synchronized adds the lock to the type', () => {
  const both = synchronized({ value: 1 })
  expectTypeOf(both).toEqualTypeOf<{ value: number } & { lock: RLock }>()
})
