/**
 * Finds out whether instances of a class have `#private` elements.
 *
 * They are invisible from outside, so an instance that has them cannot be copied field by field.
 *
 * @module
 */
import { parser } from './parser.js'

/**
 * @param constructor a class; not one that it extends.
 * @returns whether the class's own body declares a private element of its instances.
 */
export function hasPrivateElements(constructor: object): boolean {
  const source = Function.prototype.toString.call(constructor)
  if (!source.startsWith('class') || !source.includes('#')) return false
  const { body } = parser().parseExpressionAt(source, 0, { ecmaVersion: 'latest' }) as unknown as {
    body: { body: { static?: boolean; key?: { type: string } }[] }
  }
  return body.body.some((element) => !element.static && element.key?.type === 'PrivateIdentifier')
}
