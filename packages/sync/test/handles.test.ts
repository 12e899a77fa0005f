import { Attachment, MultiprocessingError, reviveSymbol } from '@mp/shared-memory/internal'
import * as sync from '@mp/sync'
import { describe, expect, test } from 'vitest'
import { kinds, start } from './agents.js'
import { decode, encode } from './fixtures/transport.mjs'

const makers = {
  Lock: () => new sync.Lock(),
  RLock: () => new sync.RLock(),
  Semaphore: () => new sync.Semaphore(3),
  BoundedSemaphore: () => new sync.BoundedSemaphore(3),
  Condition: () => new sync.Condition(),
  Event: () => new sync.Event(),
  Barrier: () => new sync.Barrier(2, { timeout: 1_000 }),
  RWLock: () => new sync.RWLock(),
}

describe.each(Object.entries(makers))('%s', (name, make) => {
  test('arrives in its own agent as the same object', async () => {
    const object = make()
    expect(await decode(encode(object))).toBe(object)
  })

  test.each(kinds)('arrives in another agent (%s) as its class, once', async (kind) => {
    const object = make()
    const other = await start(kind, 'handles.mjs', 'describe', object, [object])
    expect(await other.result).toEqual({ name, same: true })
  })

  test('opened twice it is one object to all', () => {
    const object = make()
    const { index, generation } = object.handle
    const extra = name === 'Condition' ? new sync.Lock() : { timeout: Infinity }
    const again = new (object.constructor as any)(new Attachment(index, generation, extra))
    expect(again.handle).toEqual(object.handle)
  })
})

test('a handle of another session, or of something that is gone, is refused', () => {
  const { index, generation } = new sync.Lock().handle
  const revive = (sync.Lock as any)[reviveSymbol].bind(sync.Lock)
  const stale = expect.objectContaining({ code: 'ERR_MP_STALE_HANDLE' })
  expect(() => revive(-1, index, generation, undefined)).toThrow(stale)
  const attach = (index: number, generation: number) => () =>
    new (sync.Lock as any)(new Attachment(index, generation, undefined))
  expect(attach(index, generation + 1)).toThrow(stale)
  expect(attach(1e9, generation)).toThrow(stale)
  const event = new sync.Event().handle
  expect(attach(event.index, event.generation)).toThrow(stale)
})

test('errors carry their codes and are MultiprocessingErrors', () => {
  const errors = {
    ERR_MP_NOT_HELD: new sync.NotHeldError('x'),
    ERR_MP_NOT_OWNER: new sync.NotOwnerError('x'),
    ERR_MP_OVER_RELEASED: new sync.OverReleasedError('x'),
    ERR_MP_BROKEN_BARRIER: new sync.BrokenBarrierError('x'),
  }
  for (const [code, error] of Object.entries(errors)) {
    expect(error.code).toBe(code)
    expect(error).toBeInstanceOf(MultiprocessingError)
    expect(error.name).toBe(error.constructor.name)
  }
})
