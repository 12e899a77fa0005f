import { isBareRun, ways } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { report, runProgram } from './run-program.js'

describe.each(ways('spawn', 'forkserver', 'thread'))('%s', (method) => {
  test('a process runs its target with its arguments', async () => {
    const { code, stdout, stderr } = await runProgram('smoke.mjs', { args: [method] })
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toEqual([
      'hello, Bob',
      '{"same":true,"alive":true,"exitCode":0,"after":false,"again":0}',
      '',
    ])
    expect(code).toBe(0)
  })

  test('a process knows its name, its parent and its command line, to any depth', async () => {
    const { stdout } = await runProgram('identity.mjs', { args: [method, 'x', '--y'] })
    const lines = stdout.trim().split('\n')
    const seen = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(seen.map(({ name }) => name).slice(0, 7)).toEqual([
      'MainProcess',
      'Process-1',
      'Process-1:1',
      'Process-1:2',
      'Process-2',
      'Process-2:1',
      'Process-2:2',
    ])
    const pids = new Map(seen.slice(0, 7).map(({ name, pid }) => [name, pid]))
    for (const { name, same, alive, pid, real, argv, script, daemon, parent } of seen.slice(0, 7)) {
      expect({ same, alive, argv, script, daemon, isReal: pid === real }).toEqual({
        same: true,
        alive: true,
        argv: [method, 'x', '--y'],
        script: 'identity.mjs',
        daemon: false,
        isReal: true,
      })
      const [, identity = ''] = String(name).split('-')
      const above = identity.includes(':') ? `Process-${identity[0]}` : 'MainProcess'
      expect(parent).toEqual(
        name === 'MainProcess' ? null : { name: above, pid: pids.get(above), alive: true },
      )
    }
    expect(new Set(pids.values()).size).toBe(method === 'thread' ? 1 : 7)
    expect(seen[7]).toEqual({ active: 0, named: 'x' })
    expect(seen[8]).toEqual({ subclass: 'Worker-4' })
  })

  test('the exit code says how it ended, and errors go to stderr under its name', async () => {
    const { code, stdout, stderr } = await runProgram('exit-codes.mjs', { args: [method] })
    const lines = stdout.trim().split('\n')
    expect(JSON.parse(lines.at(-1) ?? '')).toEqual({
      returns: 0,
      resolves: 0,
      exits: 7,
      setsExitCode: 8,
      exitsLater: 9,
      throws: 1,
      rejects: 1,
      throwsText: 1,
      throwsLater: 1,
      rejectsUnhandled: 1,
      neverSettles: 13,
      handlesItself: 1,
      hasExitHandler: 3,
      worksOn: 0,
    })
    expect(lines.slice(0, -1)).toEqual([
      'handled: seen by the handler',
      'exit handler: 3',
      'worked on',
    ])
    const reports = new Map(
      stderr.split(/^Process (?=\w+:$)/m).map((text) => [text.slice(0, text.indexOf(':')), text]),
    )
    expect([...reports.keys()]).toEqual([
      '',
      'throws',
      'rejects',
      'throwsText',
      'throwsLater',
      'rejectsUnhandled',
      'neverSettles',
    ])
    expect(reports.get('throws')).toMatch(/^throws:\nRangeError: thrown by the target\n +at /)
    expect(reports.get('rejects')).toMatch(/rejected by the target[^]*extra: 42[^]*the cause/)
    expect(reports.get('throwsText')).toContain("Uncaught 'only text'")
    expect(reports.get('throwsLater')).toContain('TypeError: thrown by a timer')
    expect(reports.get('rejectsUnhandled')).toContain('TypeError: nobody handles it')
    expect(reports.get('neverSettles')).toContain('nothing is left that could settle its promise')
    expect(code).toBe(0)
  })

  test('a signal ends it, busy or idle, and is its exit code', async () => {
    expect(await report('signals.mjs', { args: [method] })).toEqual(
      [-15, -9, -2, -15, -9, -2].flatMap((code) => [code, code]),
    )
  })

  test('what may be done depends on its state', async () => {
    const outcomes = (await report('states.mjs', { args: [method] })) as Record<string, unknown>
    const notStarted = 'ERR_MP_NOT_STARTED'
    const closed = 'ERR_MP_CLOSED'
    const notChild = 'ERR_MP_NOT_CHILD'
    expect(outcomes).toEqual({
      'join before the start': notStarted,
      'joinSync before the start': notStarted,
      'terminate before the start': notStarted,
      'kill before the start': notStarted,
      'interrupt before the start': notStarted,
      early: ['none', false, null, false],
      started: ['renamed', true, true, 'number'],
      'start twice': 'ERR_MP_STARTED',
      rename: 'ERR_MP_STARTED',
      'change daemon': 'ERR_MP_STARTED',
      'close while it runs': 'ERR_MP_ALIVE',
      'join with timeout': 'fine',
      'joinSync with timeout': 'fine',
      'join without waiting': 'fine',
      'join aborted before': 20,
      'join aborted': 23,
      'joinSync aborted before': 20,
      joined: [-9, -9, -9],
      'join after the end': -9,
      'joinSync after the end': -9,
      'terminate after the end': 'fine',
      'kill after the end': 'fine',
      'interrupt after the end': 'fine',
      'close after the end': 'fine',
      closed: ['renamed', true],
      'start when closed': closed,
      'join when closed': closed,
      'joinSync when closed': closed,
      'isAlive when closed': closed,
      'terminate when closed': closed,
      'kill when closed': closed,
      'interrupt when closed': closed,
      'run when closed': closed,
      'daemon when closed': closed,
      'pid when closed': closed,
      'exitCode when closed': closed,
      'stdin when closed': closed,
      'stdout when closed': closed,
      'stderr when closed': closed,
      'rename when closed': closed,
      unused: [true, closed],
      'start on itself': 'ERR_MP_STARTED',
      'join on itself': notChild,
      'joinSync on itself': notChild,
      'terminate on itself': notChild,
      'close on itself': notChild,
      self: [true, null],
    })
  })

  test('its end is seen without the event loop, by looking or by blocking', async () => {
    expect(await report('looking.mjs', { args: [method] })).toEqual({
      looked: 4,
      exitCode: 0,
      killed: -9,
    })
  })

  test('a parent that blocks does not keep from the child what it waits for itself', async () => {
    // The child exits while it holds the lock.
    expect(await report('blocked.mjs', { args: [method] })).toEqual({
      exitCode: 0,
      ownerDied: true,
    })
  })

  test('a subclass runs its own run() with its own fields, and is the current process', async () => {
    const { stdout, stderr } = await runProgram('subclass.mjs', { args: [method] })
    expect(stderr).toBe('')
    const [inChild, inParent] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
    expect(inChild).toEqual({
      constructed: 1,
      total: 10,
      current: true,
      self: true,
      isCounter: true,
      name: 'counter',
      pid: true,
      daemon: true,
      alive: true,
      locked: true,
    })
    expect(inParent).toEqual({ steps: [], ran: 'run' })
  })

  test('it can be waited for together with other things', async () => {
    expect(await report('waitable.mjs', { args: [method] })).toEqual({
      before: false,
      after: true,
      seen: 1,
      unwanted: 0,
      exitCode: 0,
    })
  })
})

test.skipIf(isBareRun)(
  'a context starts processes in its own way, whatever the default',
  async () => {
    expect(await report('contexts.mjs')).toEqual({
      all: ['spawn', 'forkserver', 'thread'],
      byDefault: 'spawn',
      spawn: ['SpawnProcess', 'process'],
      forkserver: ['ForkserverProcess', 'process'],
      thread: ['ThreadProcess', 'thread'],
      methods: ['spawn', 'forkserver', 'thread', 'spawn'],
      same: true,
      set: 'fine',
      afterwards: ['Process', 'thread'],
      context: ['Process', 'thread'],
      twice: 'ERR_MP_START_METHOD_SET',
      forced: 'fine',
      unknown:
        "RangeError: Expected `method` to be one of 'spawn', 'forkserver', 'thread', got `'vfork'`",
      cpus: true,
      current: true,
      parent: null,
      active: [],
      sent: 0,
    })
  },
)
