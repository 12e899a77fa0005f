import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runExample, startExample } from './run-example.js'

const well = { code: 0, signal: null, stderr: '' }

test('processes.ts: three processes tell the time five times each, and main tells of them', async () => {
  const { lines, ...outcome } = await runExample('processes.ts', 0.1)
  expect(outcome).toMatchObject(well)
  for (const n of [1, 2, 3]) {
    const times = lines.filter((line) => line.startsWith(`every ${n} s: it is `))
    expect(times).toHaveLength(5)
    for (const time of times) expect(time).toMatch(/\d\d:\d\d:\d\d$/)
    expect(lines).toContain(`clock-${n}: over, with exit code 0`)
  }
  const pids = lines.flatMap((line) => /^clock-\d: pid (\d+), alive$/.exec(line)?.[1] ?? [])
  expect(new Set(pids).size).toBe(3)
  expect(lines).toContainEqual(expect.stringMatching(/^this machine has [1-9]\d* CPUs for them$/))
  expect(lines).toHaveLength(15 + 3 + 1 + 3)
})

test('subclass.ts: a daemon with its own state ticks until main ends', async () => {
  const { lines, ...outcome } = await runExample('subclass.ts', 0.5)
  expect(outcome).toMatchObject(well)
  const pid = /^main: pid \d+, has started clock, pid (\d+)$/.exec(lines[0] ?? '')?.[1]
  const ticks = lines.filter((line) => line.startsWith('clock: tick'))
  expect(ticks.length).toBeGreaterThan(0)
  expect(lines.filter((line) => !line.startsWith('clock: tick'))).toEqual([
    lines[0],
    `clock: pid ${pid}, ticks every 1 s, for ever`,
    'main: goes, and its daemon with it; here it has 0 ticks',
  ])
  expect(ticks).toEqual(ticks.map((_, i) => `clock: tick ${i + 1}`))
})

test('lock.ts: the ten lines of each process stand together', async () => {
  const { lines, ...outcome } = await runExample('lock.ts', 0.1)
  expect(outcome).toMatchObject(well)
  const block = (who: string): string[] =>
    Array.from({ length: 10 }, (_, i) => `with ${who}: line ${i + 1}`)
  const order = lines[0]?.startsWith('with using') ? ['using', 'release'] : ['release', 'using']
  expect(lines).toEqual(order.flatMap(block))
})

test('semaphore.ts: all five are inside once, never more than two at a time', async () => {
  const { lines, ...outcome } = await runExample('semaphore.ts', 0.5)
  expect(outcome).toMatchObject(well)
  expect(lines.pop()).toBe('all have left; 2 may enter')
  const inside = new Set<string>()
  const entered: string[] = []
  let most = 0
  for (const line of lines) {
    const [, name = '', what] = /^(visitor-\d) (enters|leaves)$/.exec(line) ?? []
    if (what === 'enters') {
      inside.add(name)
      entered.push(name)
    } else {
      expect(inside.delete(name)).toBe(true)
    }
    most = Math.max(most, inside.size)
  }
  expect(most).toBe(2)
  expect(inside.size).toBe(0)
  expect(entered.sort()).toEqual([1, 2, 3, 4, 5].map((n) => `visitor-${n}`))
})

test('queue.ts: everything arrives in order, though nobody waits', async () => {
  const { lines, ...outcome } = await runExample('queue.ts', 0.1)
  expect(outcome).toMatchObject(well)
  const numbers = Array.from({ length: 10 }, (_, i) => i + 1)
  expect(lines.filter((line) => line.includes('put'))).toEqual(
    numbers.map((n) => `writer: put ${n}`),
  )
  expect(lines.filter((line) => line.includes('got'))).toEqual(
    numbers.map((n) => `reader: got ${n}`),
  )
  expect(lines).toContain('writer: the queue is full')
  expect(lines).toContain('reader: that was all')
})

test('pipe.ts: each question gets its answer from the other process, until the end of file', async () => {
  const { lines, ...outcome } = await runExample('pipe.ts', 1)
  expect(outcome).toMatchObject(well)
  const pid = /\d+$/.exec(lines[0] ?? '')?.[0]
  expect(lines).toEqual([
    ...[1, 2, 3, 4, 5].map((n) => `asked for the square of ${n}: ${n * n}, says process ${pid}`),
    'the other end has hung up',
  ])
})

test('event.ts: one waits until the event is set, the other gives up before', async () => {
  // Its children are to wait before main sets the event: that takes real seconds on a busy machine.
  const { lines, ...outcome } = await runExample('event.ts', 2)
  expect(outcome).toMatchObject(well)
  expect(lines.slice(0, 2).sort()).toEqual(['hurried: waits for 2 s', 'patient: waits'])
  expect(lines.slice(2)).toEqual([
    'hurried: the event is set: false',
    'main: sets the event',
    'patient: the event is set: true',
  ])
})

test('pool.ts: three processes do four tasks, and main gets all results', async () => {
  const { lines, ...outcome } = await runExample('pool.ts', 0.5)
  expect(outcome).toMatchObject(well)
  expect(lines[0]).toBe('main: has given out all tasks and goes on')
  const tasks = [1, 2, 3, 4].map((n) => `task ${n}`)
  const pids = new Set<string>()
  for (const task of tasks) {
    const begins = lines.findIndex((line) => line.startsWith(`${task}: begins in process `))
    expect(begins).toBeGreaterThan(0)
    expect(lines.indexOf(`${task}: ends`)).toBeGreaterThan(begins)
    pids.add(lines[begins]?.split(' ').at(-1) ?? '')
  }
  expect([2, 3]).toContain(pids.size)
  expect(lines.slice(-4)).toEqual(tasks.map((task) => `main: ${task} is done`))
  expect(lines).toHaveLength(1 + 8 + 4)
})

test('remote.ts: one program serves others that know the key, and only these', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'remote-'))
  const place = join(folder, 's')
  const key = { MP_EXAMPLE_KEY: 'secret' }
  const server = startExample('remote.ts', ['serve', place], key)
  await server.untilOutput('listening')
  const asking = [
    startExample('remote.ts', ['ask', place, '2', '3'], key),
    startExample('remote.ts', ['ask', place, '4'], key),
    startExample('remote.ts', ['ask', place, '5'], { MP_EXAMPLE_KEY: 'guessed' }),
  ]
  const outcomes = await Promise.all(asking.map((program) => program.end()))
  expect(outcomes).toMatchObject([
    { ...well, stdout: 'the square of 2 is 4\nthe square of 3 is 9\n' },
    { ...well, stdout: 'the square of 4 is 16\n' },
    { code: 1, stdout: '', stderr: expect.stringContaining('does not accept our authKey') },
  ])
  await server.untilOutput('somebody was not let in')
  server.child.kill('SIGTERM')
  const { stdout, ...outcome } = await server.end()
  expect(outcome).toEqual(well)
  expect(stdout.split('\n').filter((line) => line === 'a client has hung up')).toHaveLength(2)
  expect(stdout).toMatch(/closed\n$/)
  expect(readdirSync(folder)).toEqual([])
  rmdirSync(folder)
})
