/** What cannot be sent: the exact words, since they are what the user has to go on. */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { fixtures, runNode } from './run-fixture.js'

let seen: Record<string, [message: string, path: string] | string>

beforeAll(async () => {
  const { stdout } = await runNode([join(fixtures, 'refusals.mjs')])
  seen = JSON.parse(stdout.toString()) as typeof seen
})

const refusals: [name: string, message: string, path?: string][] = [
  [
    'a captured socket',
    'cannot send "handler": captured variable "db" is a Socket; create it in the child (initializer)',
    'handler → db',
  ],
  [
    'a function at the root',
    'cannot send "query": captured variable "db" is a Socket; create it in the child (initializer)',
    'query → db',
  ],
  [
    'a captured socket behind a captured function',
    'cannot send "run": captured variable "query" → captured variable "db" is a Socket; create it in the child (initializer)',
    'run → query → db',
  ],
  [
    'a property of a captured object',
    'cannot send "run": captured variable "pool.connections[0].socket" is a Socket; create it in the child (initializer)',
    'run → pool.connections[0].socket',
  ],
  [
    'a field of an instance',
    'cannot send the value: class "Connected" → captured variable "db" is a Socket; create it in the child (initializer)',
    'Connected → db',
  ],
  [
    'a deeper field of an instance',
    'cannot send "job": class "Holder" → captured variable "db" is a Socket; create it in the child (initializer)',
    'job → Holder → db',
  ],
  [
    'a captured variable of a method of a class',
    'cannot send "Uses": captured variable "db" is a Socket; create it in the child (initializer)',
    'Uses → db',
  ],
  [
    'a static of a class',
    'cannot send "KeepsStatic": property "shared" is a Socket; create it in the child (initializer)',
    'KeepsStatic → shared',
  ],
  ['a static of a base class', 'was sent'],
  [
    'a value in a map',
    'cannot send the value: the value of "key" → "socket" is a Socket; create it in the child (initializer)',
    'key → socket',
  ],
  [
    'a member of a set',
    'cannot send "set": a member is a Promise; await it first',
    'set → a member',
  ],
  [
    'an element of an array',
    'cannot send "[1][1]": it is a Socket; create it in the child (initializer)',
    '[1][1]',
  ],
  [
    'a key that is no identifier',
    'cannot send "content-type["x y"]": it is a Socket; create it in the child (initializer)',
    'content-type["x y"]',
  ],
  ['a promise', 'cannot send "pending": it is a Promise; await it first', 'pending'],
  [
    'a timer',
    'cannot send "timer": it is a Timeout; create it in the child (initializer)',
    'timer',
  ],
  [
    'a stream',
    'cannot send "out": it is a PassThrough; create it in the child (initializer)',
    'out',
  ],
  ['a server', 'cannot send the value: it is a Server; create it in the child (initializer)', ''],
  [
    'a worker',
    'cannot send "port": it is a MessagePort; create it in the child (initializer)',
    'port',
  ],
  [
    'a WeakMap',
    'cannot send the value: it is a WeakMap; send a Map, or create it in the child (initializer)',
    '',
  ],
  [
    'a WeakSet',
    'cannot send "[0]": it is a WeakSet; send a Set, or create it in the child (initializer)',
    '[0]',
  ],
  ['a WeakRef', 'cannot send the value: it is a WeakRef; create it in the child (initializer)', ''],
  [
    'a generator object',
    'cannot send "generator": it is a generator in progress; send its values, or the function',
    'generator',
  ],
  [
    'an iterator of a map',
    'cannot send the value: it is an iterator; send the Map itself, or an array of its entries',
    '',
  ],
  [
    'an iterator of an array',
    'cannot send the value: it is an iterator; send an array of its values',
    '',
  ],
  ['a proxy of an object', 'cannot send "p": it is a Proxy; send what it stands for', 'p'],
  [
    'a proxy of a function',
    'cannot send "proxied": it is a Proxy; send what it stands for',
    'proxied',
  ],
  [
    'a SharedArrayBuffer',
    'cannot send the value: it is a SharedArrayBuffer; use SharedArray or SharedMemory',
    '',
  ],
  [
    'a view of a SharedArrayBuffer',
    'cannot send "view": it is a view of a SharedArrayBuffer; use SharedArray or SharedMemory',
    'view',
  ],
  [
    'an unregistered symbol',
    'cannot send "unregistered": it is the unregistered symbol Symbol(mine); make it with Symbol.for()',
    'unregistered',
  ],
  [
    'an abort signal',
    'cannot send the value: it is an AbortSignal; create it in the child (initializer)',
    '',
  ],
  [
    'an AsyncLocalStorage',
    'cannot send the value: it is an AsyncLocalStorage; create it in the child (initializer)',
    '',
  ],
  [
    'an Intl object',
    'cannot send the value: it is a NumberFormat; create it in the child (initializer)',
    '',
  ],
  [
    'a module namespace',
    'cannot send "namespace": it is a module namespace; import the module where it is used',
    'namespace',
  ],
  [
    'a bound function',
    'cannot send "bound": it is a bound function; send a function that calls it',
    'bound',
  ],
  [
    'a native function',
    'cannot send "resolve": it is a native function, which another process cannot find; create it in the child (initializer)',
    'resolve',
  ],
  [
    'an argument of promisify',
    'cannot send "promisified": argument of promisify() "0" → captured variable "db" is a Socket; create it in the child (initializer)',
    'promisified → 0 → db',
  ],
  [
    'a function that Node made',
    'cannot send "called": it is a function that Node made, which another process cannot find; create it in the child (initializer)',
    'called',
  ],
  [
    "an arrow's outer this",
    'cannot send "arrow": it uses the `this` of the code around it; use a variable instead, or make it a `function`',
    'arrow',
  ],
  [
    'super in a method of an object literal',
    'cannot send "literal.hi": it uses `super`, which only a whole class takes along; send its class or an instance',
    'literal.hi',
  ],
  [
    'super in a method of a class that cannot be seen',
    'cannot send "withSuper": it uses `super`, which only a whole class takes along; send its class or an instance',
    'withSuper',
  ],
  [
    'outer arguments',
    'cannot send "args": it uses the `arguments` of the code around it; put it in a variable',
    'args',
  ],
  [
    'outer new.target',
    'cannot send "target": it uses the `new.target` of the code around it; put it in a variable',
    'target',
  ],
  [
    'a private name of an outer class',
    'cannot send "plainRead": it uses the private name #hidden of the class around it; send the class',
    'plainRead',
  ],
  [
    'an instance whose private fields a compiler made a map of',
    'cannot send "lowered": it is a Lowered, and class Lowered has #private fields, which cannot be seen; give it a [reduceSymbol]() hook',
    'lowered',
  ],
  [
    'an iterator of values made from those of another',
    'cannot send "mapped": it is an iterator; send an array of its values',
    'mapped',
  ],
  [
    'an instance with private fields',
    'cannot send "secretive": it is a Secretive, and class Secretive has #private fields, which cannot be seen; give it a [reduceSymbol]() hook',
    'secretive',
  ],
  [
    'a variable that cannot be seen',
    'cannot send the value: it uses the variable "key" only while it is being defined, where it cannot be seen; use it in a function too',
    '',
  ],
  [
    'a hook that does not return a recipe',
    'cannot send the value: it has a [reduceSymbol]() that does not return { module, name, args } or { revive, args }',
    '',
  ],
  [
    'a hook that is no function',
    'cannot send the value: it has a [reduceSymbol] that is not a function',
    '',
  ],
  [
    'a hook whose arguments contain its object',
    'cannot send "cyclicHook": argument of its hook "0" is contained in the arguments of its own [reduceSymbol]() hook',
    'cyclicHook → 0',
  ],
  [
    'a hook whose arguments cannot go',
    'cannot send the value: argument of its hook "1" is a Socket; create it in the child (initializer)',
    '1',
  ],
  [
    'a chain of functions',
    'cannot send "chain": it is nested too deeply for the stack that is left',
    'chain',
  ],
  [
    'a detached buffer',
    'cannot send "buffer": it is a detached ArrayBuffer; it has been transferred elsewhere',
    'buffer',
  ],
  [
    'a name given by the caller',
    'cannot send "target": it is a Socket; create it in the child (initializer)',
    'target',
  ],
  [
    'a constant that has no value yet',
    'cannot send "tooEarly": it uses "LATE", which has no value yet; send it after the line that defines "LATE"',
    'tooEarly',
  ],
  ['the same constant after its line', 'was sent'],
]

test.each(refusals)('%s', (name, message, path) => {
  expect(seen[name]).toEqual(path === undefined ? message : [message, path])
})

test('a hundred thousand levels of nesting are an error of readable length', () => {
  const [message, path] = seen['deep nesting']
  expect(message).toMatch(
    /^cannot send "deep\.deep.+deep": it is nested more than 1000 levels deep; flatten it/,
  )
  expect(message.length).toBeLessThan(400)
  expect(path.length).toBeLessThan(300)
})

test('every case of the program is here', () => {
  const here = [...refusals.map(([name]) => name), 'deep nesting']
  expect(Object.keys(seen).toSorted()).toEqual(here.toSorted())
})
