import * as mp from '@mp/multiprocessing'
import * as pickle from '@mp/pickle'
import * as pipe from '@mp/pipe'
import * as pool from '@mp/pool'
import * as process from '@mp/process'
import * as queue from '@mp/queue'
import * as sharedMemory from '@mp/shared-memory'
import * as sync from '@mp/sync'
import { expect, test } from 'vitest'

const all: Record<string, unknown> = { ...mp }
const packages: Record<string, Record<string, unknown>> = {
  pickle,
  pipe,
  pool,
  process,
  queue,
  'shared-memory': sharedMemory,
  sync,
}

test.each(Object.entries(packages))(
  'every name of @mp/%s is here and is the same thing',
  (_, part) => {
    const names = Object.keys(part)
    expect(names).not.toEqual([])
    // A name that two packages give to different things is left out of both by `export *`, and so missed here.
    expect(names.filter((name) => !(name in all) || all[name] !== part[name])).toEqual([])
  },
)

test('what is exported is strict code, as that of modules', () => {
  const functions = Object.values(all).filter((value) => typeof value === 'function')
  // Of code that is not, they show what they were called with.
  expect(functions.filter((value) => Object.hasOwn(value, 'arguments'))).toEqual([])
})

test('there is no name of its own', () => {
  const known = new Set(Object.values(packages).flatMap((part) => Object.keys(part)))
  expect(Object.keys(all).filter((name) => !known.has(name))).toEqual([])
})
