import { closeSync, openSync } from 'node:fs'
import { openDescriptors } from 'mp-internal'
import { expect, test } from 'vitest'

test('an opened descriptor is listed with its file until it is closed', () => {
  const before = openDescriptors()
  const fd = openSync('/dev/null', 'r')
  expect(openDescriptors().get(fd)).toBe('/dev/null')
  closeSync(fd)
  expect(openDescriptors()).toEqual(before)
})
