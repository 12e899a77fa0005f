/**
 * Code that came from another process, evaluated here.
 *
 * It is compiled under its original file name and position, so that stacks point at the source.
 *
 * @module
 */
import { compileFunction } from 'node:vm'
import { importerOf, metaOf, requireOf } from '../modules/stand-ins.js'
import { IMPORT, META, type Code } from './code.js'
import type { Factory, ReceivedCode } from './registry.js'

type Callable = (...args: never[]) => unknown

/** Makes the function of a code. @returns it, and the setter of its captured variables. */
export function evaluate(
  received: ReceivedCode,
  eager: readonly unknown[],
): [Callable, (values: unknown[]) => void] {
  const { code } = received
  received.factory ??= compile(code)
  return received.factory(...eager, ...code.supplied.map((name) => supply(name, code.url)))
}

function compile({ body, eager, supplied, url, line, column }: Code): Factory {
  const factory = compileFunction(body, [...eager, ...supplied], {
    filename: url || 'sent-by-value',
    lineOffset: line,
    columnOffset: column,
  }) as Factory
  // Called without a receiver: at the top level of a module, `this` is undefined.
  return (...parameters) => factory.apply(undefined, parameters)
}

/** What the module system gives to the code of a file. */
function supply(name: string, url: string): unknown {
  switch (name) {
    case META:
      return metaOf(url)
    case IMPORT:
      return importerOf(url)
    case 'require':
      return requireOf(url)
    case '__filename':
      return metaOf(url).filename
    case '__dirname':
      return metaOf(url).dirname
  }
  return undefined
}
