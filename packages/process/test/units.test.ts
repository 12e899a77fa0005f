import { Process, cpuCount } from '@mp/process'
import { cgroupLimit, inheritedExecArgv } from '@mp/process/internal'
import { availableParallelism } from 'node:os'
import { expect, test } from 'vitest'

const reading = (files: Record<string, string>) => (path: string) => files[path]

test('the number of processors is at least one and at most what the scheduler allows', () => {
  expect(cpuCount()).toBeGreaterThanOrEqual(1)
  expect(cpuCount()).toBeLessThanOrEqual(availableParallelism())
})

test('there is no limit where there are no control groups', () => {
  expect(cgroupLimit(() => undefined)).toBe(Infinity)
})

test('a group of version 2 is limited by itself and by those above it', () => {
  const files = { '/proc/self/cgroup': '0::/a/b\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }
  expect(cgroupLimit(reading(files))).toBe(Infinity)
  expect(cgroupLimit(reading({ ...files, '/sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' }))).toBe(
    1.5,
  )
  expect(
    cgroupLimit(
      reading({
        ...files,
        '/sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
        '/sys/fs/cgroup/a/cpu.max': '200000 100000\n',
      }),
    ),
  ).toBe(2)
})

test('in a container the limit stands at the root of what is mounted', () => {
  const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '300000 100000\n' }
  expect(cgroupLimit(reading(files))).toBe(3)
})

test('a group of version 1 is limited by its quota', () => {
  const files = {
    '/proc/self/cgroup': '4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n',
    '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us': '100000\n',
  }
  const quota = '/sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us'
  expect(cgroupLimit(reading({ ...files, [quota]: '250000\n' }))).toBe(2.5)
  expect(cgroupLimit(reading({ ...files, [quota]: '-1\n' }))).toBe(Infinity)
})

test.each([
  [[], []],
  [
    ['--import', 'tsx', '--enable-source-maps'],
    ['--import', 'tsx', '--enable-source-maps'],
  ],
  [['-e', 'code', '--no-warnings'], ['--no-warnings']],
  [['--input-type=module', '-pe', 'code'], []],
  [['--input-type', 'module', '--eval=code'], []],
  [
    ['--test', '--test-reporter', 'spec', '--test-only', '-r', './x.cjs'],
    ['-r', './x.cjs'],
  ],
  [['--watch', '--watch-path=src', '--watch-path', 'lib', '--watch-preserve-output'], []],
  [['--inspect', '--inspect-brk=0', '--inspect-port', '9', '--inspect-publish-uid=http'], []],
  [
    ['-i', '-c', '--check', '--conditions=x', '-C', 'y'],
    ['--conditions=x', '-C', 'y'],
  ],
])('of the flags %j a child inherits %j', (flags, inherited) => {
  expect(inheritedExecArgv(flags)).toEqual(inherited)
})

test('a subclass with private elements is refused at the start, and so is one that extends it', () => {
  class Secret extends Process {
    readonly #field = 1
    override run(): number {
      return this.#field
    }
  }
  class Heir extends Secret {}
  class WithMethod extends Process {
    #method(): void {}
    override run(): void {
      this.#method()
    }
  }
  for (const process of [new Secret(), new Heir(), new WithMethod()]) {
    expect(() => process.start()).toThrow(/class (Secret|WithMethod) has #private elements/)
    expect(process.pid).toBeUndefined()
  }
})
