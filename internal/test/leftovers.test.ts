import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { Watch, describe as say, killProcess } from 'mp-internal'
import { afterAll, beforeAll, expect, test } from 'vitest'

const GRACE_MS = 100
const mark = { name: 'MP_TEST_LEFTOVERS', value: `${process.pid}` }
let folders: string[]
let watch: Watch

beforeAll(() => {
  folders = [tmpdir(), '/dev/shm'].map((folder) => mkdtempSync(join(folder, 'leftovers-')))
  watch = new Watch({ mark, folders })
})

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

test('nothing is left when nothing happened', async () => {
  expect(await watch.leftSince(watch.take(), 0)).toBeNull()
})

test('a child process is left until it has ended', async () => {
  const before = watch.take()
  const child = spawn('sleep', ['60'], { stdio: 'ignore', env: {} })
  const left = await watch.leftSince(before, GRACE_MS)
  expect(left?.processes).toMatchObject([{ pid: child.pid, command: 'sleep 60' }])
  child.kill()
  expect(await watch.leftSince(before, 5_000)).toBeNull()
})

test('a process that has lost its parent is found by its mark', async () => {
  const before = watch.take()
  const env = { ...process.env, [mark.name]: mark.value }
  const parent = spawn('sh', ['-c', 'sleep 60 >/dev/null 2>&1 & echo $!'], { env })
  let pid = ''
  parent.stdout.on('data', (data: Buffer) => (pid += data.toString()))
  await once(parent, 'close')
  const left = await watch.leftSince(before, GRACE_MS)
  expect(left?.processes).toMatchObject([{ pid: Number(pid), command: 'sleep 60' }])
  killProcess(Number(pid))
  expect(await watch.leftSince(before, 5_000)).toBeNull()
})

test.each([0, 1])('a file in folder %i is left', async (n) => {
  const before = watch.take()
  const file = join(folders[n], 'file')
  writeFileSync(file, '')
  expect((await watch.leftSince(before, GRACE_MS))?.files).toEqual([file])
  rmSync(file)
  expect(await watch.leftSince(before, 5_000)).toBeNull()
})

test('the caches of Node and tsx are nobody’s leftovers', async () => {
  const before = watch.take()
  for (const name of ['node-compile-cache', 'tsx-1000']) mkdirSync(join(folders[0], name))
  expect(await watch.leftSince(before, 0)).toBeNull()
})

test('an open descriptor is left, also a second one of the same file', async () => {
  const first = openSync('/dev/zero', 'r')
  const before = watch.take()
  const second = openSync('/dev/zero', 'r')
  const left = await watch.leftSince(before, GRACE_MS)
  expect(left?.descriptors).toEqual(['/dev/zero (2, was 1)'])
  expect(say(left!)).toContain('/dev/zero')
  closeSync(second)
  expect(await watch.leftSince(before, 5_000)).toBeNull()
  closeSync(first)
})

test('a worker thread is left: its event loop has descriptors', async () => {
  const before = watch.take()
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
  await once(worker, 'online')
  const left = await watch.leftSince(before, GRACE_MS)
  expect(left?.descriptors).toContainEqual(expect.stringContaining('anon_inode:[eventfd]'))
  await worker.terminate()
  expect(await watch.leftSince(before, 5_000)).toBeNull()
})
