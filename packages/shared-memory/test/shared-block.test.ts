/** SharedMemory: blocks that unrelated programs find by name, and what becomes of them. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { deflate } from 'node:zlib'
import { SharedMemory } from '@mp/shared-memory'
import { session } from '@mp/shared-memory/internal'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encode } from './fixtures/shared-transport.mjs'
import {
  collectOften,
  kinds,
  run,
  start,
  startEncoded,
  until,
  untilCollected,
  withDeadline,
} from './shared-agents.js'

const given = process.env['MP_SHARED_MEMORY_DIR']
let place: string
let descriptors: number

beforeEach(async () => {
  session()
  place = mkdtempSync(join(given ?? '/dev/shm', 'blocks-'))
  process.env['MP_SHARED_MEMORY_DIR'] = place
  await collectOften()
  descriptors = readdirSync('/proc/self/fd').length
})

afterEach(async () => {
  await Promise.all([...programs].map((program) => program.kill()))
  for (const block of made.splice(0)) {
    block.close()
    try {
      block.unlink()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_MP_NOT_FOUND') throw error
    }
  }
  // Killed programs have left some, which the next one to look removes.
  expect(() => new SharedMemory({ name: 'nothing' })).toThrow('There is no')
  expect(readdirSync(place)).toEqual([])
  rmSync(place, { recursive: true })
  await untilCollected(
    'all descriptors are closed',
    () => readdirSync('/proc/self/fd').length <= descriptors,
  )
  if (given === undefined) delete process.env['MP_SHARED_MEMORY_DIR']
  else process.env['MP_SHARED_MEMORY_DIR'] = given
})

const made: SharedMemory[] = []

/** A block that the test's end closes and unlinks. */
function create(name: string | undefined, size = 100): SharedMemory {
  const block = new SharedMemory({ create: true, size, name })
  made.push(block)
  return block
}

function open(name: string): SharedMemory {
  const block = new SharedMemory({ name })
  made.push(block)
  return block
}

/** The files of all blocks. */
function files(): string[] {
  const folder = join(place, `mp-${process.geteuid!()}`)
  try {
    return readdirSync(folder)
  } catch (error) {
    // Whoever takes the last block away takes the folder with it.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const bytes = ({ buffer }: SharedMemory): Uint8Array => new Uint8Array(buffer)
const withCode = (code: string): unknown => expect.objectContaining({ code })

interface Program {
  /** Gives what the command gave; throws with its code. */
  tell(command: string, ...args: (string | number)[]): Promise<any>
  kill(signal?: NodeJS.Signals): Promise<void>
}

const programs = new Set<Program>()

/** Starts a program that is in no session with this one. */
async function startProgram(): Promise<Program> {
  const file = fileURLToPath(new URL('fixtures/shared-blocks.mjs', import.meta.url))
  const child: ChildProcess = spawn(process.execPath, [file], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const over = once(child, 'exit')
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const answer = async (what: string): Promise<any> => {
    const { value, done } = await withDeadline(what, lines.next())
    if (done) return undefined
    const { value: result, code } = JSON.parse(value)
    if (code !== undefined) throw Object.assign(new Error(code), { code })
    return result
  }
  const program: Program = {
    tell(...words) {
      child.stdin!.write(`${words.join(' ')}\n`)
      return answer(words.join(' '))
    },
    async kill(signal = 'SIGKILL') {
      programs.delete(program)
      child.kill(signal)
      await withDeadline('a program to end', over)
    },
  }
  programs.add(program)
  await answer('a program to start')
  return program
}

test('a block has a name, a size, and zeros', () => {
  const block = create('alpha', 5_000)
  expect([block.name, block.size, block.buffer.byteLength]).toEqual(['alpha', 5_000, 5_000])
  expect(bytes(block).every((byte) => byte === 0)).toBe(true)
  expect(block.buffer).toBe(block.buffer)
  bytes(block)[4_999] = 7
  expect(bytes(open('alpha'))[4_999]).toBe(7)
  expect(open('alpha').size).toBe(5_000)
})

test('a block without a name gets one', () => {
  const names = new Set([create(undefined).name, create(undefined).name])
  expect(names.size).toBe(2)
  for (const name of names) expect(open(name).size).toBe(100)
})

test('a name is taken once, and found while it is', () => {
  create('alpha')
  expect(() => create('alpha')).toThrow(withCode('ERR_MP_EXISTS'))
  expect(() => open('beta')).toThrow(withCode('ERR_MP_NOT_FOUND'))
})

test('a closed block gives no buffer, and its views are empty', () => {
  const block = create('alpha')
  const view = bytes(block)
  const { buffer } = block
  block.close()
  block.close()
  expect(block.closed).toBe(true)
  expect(() => block.buffer).toThrow(withCode('ERR_MP_CLOSED'))
  expect([view.length, view[0], buffer.byteLength]).toEqual([0, undefined, 0])
  view[0] = 1
  expect(() => view.fill(1)).toThrow(TypeError)
})

test('a block that is closed by those who use it stays while its maker runs, as in Python', async () => {
  const block = create('alpha')
  bytes(block)[3] = 9
  block.close()
  const program = await startProgram()
  await program.tell('open', 'alpha')
  expect(await program.tell('read', 'alpha', 3)).toBe(9)
})

test('the memory of an unlinked block goes when the last user lets go', async () => {
  const block = create('alpha')
  const other = open('alpha')
  block.unlink()
  expect(files()).toEqual([])
  expect(() => open('alpha')).toThrow(withCode('ERR_MP_NOT_FOUND'))
  expect(() => block.unlink()).toThrow(withCode('ERR_MP_NOT_FOUND'))
  expect(() => other.unlink()).toThrow(withCode('ERR_MP_NOT_FOUND'))
  bytes(block)[0] = 5
  block.close()
  expect(bytes(other)[0]).toBe(5)
  const successor = create('alpha')
  expect(bytes(successor)[0]).toBe(0)
  // The old ones had the name, this one has it: it is not theirs to take.
  expect(() => other.unlink()).toThrow(withCode('ERR_MP_NOT_FOUND'))
  other.close()
  expect(open('alpha').size).toBe(100)
})

test('unlink works after close', () => {
  const block = create('alpha')
  block.close()
  block.unlink()
  expect(files()).toEqual([])
})

test.each([
  [() => create('a/b'), RangeError, 'name'],
  [() => create(''), RangeError, 'name'],
  [() => create('a\0b'), RangeError, 'name'],
  [() => create('é'.repeat(121)), RangeError, 'name'],
  [() => create(5 as never), TypeError, 'name'],
  [() => new SharedMemory({} as never), TypeError, 'name'],
  [() => new SharedMemory(undefined as never), TypeError, 'options'],
  [() => new SharedMemory({ create: 1, name: 'x' } as never), TypeError, 'create'],
  [() => create('x', 0), RangeError, 'size'],
  [() => create('x', 1.5), RangeError, 'size'],
  [() => create('x', '1' as never), TypeError, 'size'],
])('wrong arguments are refused by name (%#)', (make, type, name) => {
  expect(make).toThrow(type)
  expect(make).toThrow(`Expected \`${name}\``)
})

test('any other name will do', () => {
  for (const name of ['.', '..', 'x.block', 'with space', 'é'.repeat(120), '-rf', '💾']) {
    create(name)
    expect(open(name).size).toBe(100)
  }
})

describe('unrelated programs', () => {
  test('share the memory', async () => {
    const block = create('alpha', 10)
    const program = await startProgram()
    expect(await program.tell('open', 'alpha')).toBe(10)
    await program.tell('write', 'alpha', 2, 77)
    expect(bytes(block)[2]).toBe(77)
    await expect(program.tell('create', 'alpha', 5)).rejects.toThrow(withCode('ERR_MP_EXISTS'))
    await program.tell('close', 'alpha')
    await expect(program.tell('read', 'alpha', 2)).rejects.toThrow(withCode('ERR_MP_CLOSED'))
    expect(bytes(block)[2]).toBe(77)
  })

  test('a block outlives its killed maker while somebody uses it, and no longer', async () => {
    const maker = await startProgram()
    await maker.tell('create', 'alpha', 10)
    await maker.tell('write', 'alpha', 0, 5)
    const block = open('alpha')
    await maker.kill()
    const late = await startProgram()
    await late.tell('open', 'alpha')
    expect([bytes(block)[0], await late.tell('read', 'alpha', 0)]).toEqual([5, 5])
    block.close()
    await late.tell('close', 'alpha')
    expect(files()).toEqual([])
  })

  test('what the killed have left is removed by the next start, what the living use is not', async () => {
    const [doomed, living] = await Promise.all([startProgram(), startProgram()])
    await doomed.tell('create', 'left', 10)
    await doomed.tell('create', 'shared', 10)
    await living.tell('create', 'used', 10)
    await living.tell('open', 'shared')
    await doomed.kill()
    expect(files().sort()).toEqual(['left.block', 'shared.block', 'used.block'])
    const next = await startProgram()
    await expect(next.tell('open', 'left')).rejects.toThrow(withCode('ERR_MP_NOT_FOUND'))
    expect(files().sort()).toEqual(['shared.block', 'used.block'])
    expect(await living.tell('read', 'shared', 0)).toBe(0)
  })

  test.each(['end', 'exit'])(
    'a program that ends by %s without closing leaves nothing',
    async (how) => {
      const program = await startProgram()
      await program.tell('create', 'alpha', 10)
      await program.tell('open', 'alpha')
      expect(files()).toEqual(['alpha.block'])
      await program.tell(how)
      await until('its block is gone', () => files().length === 0)
    },
  )

  test('two that make, open and unlink one name at once never meet a dead or half-made block', async () => {
    const pair = await Promise.all([startProgram(), startProgram(), startProgram()])
    const counts = await Promise.all(pair.map((program) => program.tell('churn', 'alpha', 400)))
    for (const { made, opened, missed } of counts) expect(made + opened + missed).toBe(400)
    expect(counts.reduce((sum, { made }) => sum + made, 0)).toBeGreaterThan(100)
    expect(files()).toEqual([])
  })
})

describe.each(kinds)('as a handle to a %s', (kind) => {
  test('it is the same memory', async () => {
    const block = create('alpha')
    expect(await run(kind, 'incrementByte', block, 1)).toBe(0)
    expect(bytes(block)[1]).toBe(1)
    expect(await run(kind, 'isSameObject', block, block)).toBe(true)
    expect(await run(kind, 'giveBack', block)).toBe(block)
    expect(await run(kind, 'openByName', 'alpha')).toBe(0)
  })

  test('it stays while it is on its way, though its sender has closed it', async () => {
    const maker = await start(kind, 'makeBlock', 'alpha')
    const block = await maker.result
    made.push(block)
    const message = encode(block)
    await maker.kill()
    block.close()
    const agent = await startEncoded(kind, 'incrementByte', [message, 0])
    expect(await agent.result).toBe(5)
  })

  test('a handle of a closed or unlinked block cannot be sent', () => {
    const block = create('alpha')
    block.unlink()
    expect(() => encode(block)).toThrow(withCode('ERR_MP_NOT_FOUND'))
    block.close()
    expect(() => encode(block)).toThrow(withCode('ERR_MP_CLOSED'))
  })

  test('a handle that arrives when another block has the name finds nothing', async () => {
    const block = create('alpha')
    const message = encode(block)
    block.unlink()
    create('alpha')
    const agent = await startEncoded(kind, 'giveBack', [message])
    await expect(agent.result).rejects.toThrow('ERR_MP_NOT_FOUND')
  })
})

test('closing a block while a thread of Node still reads its memory harms nobody', async () => {
  for (let n = 0; n < 5; n++) {
    const block = new SharedMemory({ create: true, size: 8_000_000 })
    const compressed = promisify(deflate)(bytes(block))
    block.unlink()
    block.close()
    expect((await compressed).length).toBeGreaterThan(0)
  }
})

test('what is forgotten without being closed is given back', async () => {
  for (let n = 0; n < 20; n++) new SharedMemory({ create: true, size: 10, name: `n${n}` }).unlink()
  const view = bytes(create('kept'))
  await untilCollected(
    'all others are closed',
    () => readdirSync('/proc/self/fd').length <= descriptors + 1,
  )
  view[0] = 1
  expect(bytes(open('kept'))[0]).toBe(1)
})

test('a place that cannot be used is passed over', () => {
  process.env['MP_SHARED_MEMORY_DIR'] = join(place, 'is', 'not', 'there')
  const block = new SharedMemory({ create: true, size: 10 })
  expect(files()).toEqual([])
  expect(open(block.name).size).toBe(10)
  block.unlink()
  block.close()
})

test('a folder that others can write to is not trusted', () => {
  const folder = join(place, `mp-${process.geteuid!()}`)
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  writeFileSync(join(folder, 'trap.block'), 'x')
  expect(() => open('trap')).toThrow(withCode('ERR_MP_NOT_FOUND'))
  const block = new SharedMemory({ create: true, size: 10 })
  expect(files()).toEqual(['trap.block'])
  block.unlink()
  block.close()
  rmSync(folder, { recursive: true })
})

test('too large a block says so, and leaves nothing', async () => {
  const program = `
    import { OutOfSharedMemoryError, SharedMemory } from '@mp/shared-memory'
    try {
      new SharedMemory({ create: true, size: 3_000_000_000 })
    } catch (error) {
      console.log(error instanceof OutOfSharedMemoryError, error.code, error.message)
    }`
  const shell = 'ulimit -f 1000; exec "$0" --input-type=module -e "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', shell, process.execPath, program], {
    cwd: import.meta.dirname,
    timeout: 20_000,
  })
  expect(stdout).toContain('true ERR_MP_OUT_OF_MEMORY')
  expect(stdout).toContain('3000000000 bytes')
  expect(readdirSync(place)).toEqual([])
})
