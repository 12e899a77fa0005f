/**
 * Symbols that another process has too: registered ones, and those of the language.
 *
 * @module
 */

/** Names of the well-known symbols, as `Symbol.iterator`. */
export const wellKnownSymbols: ReadonlyMap<symbol, string> = new Map(
  Object.getOwnPropertyNames(Symbol)
    .map((name) => [(Symbol as unknown as Record<string, unknown>)[name], name] as const)
    .filter((entry): entry is readonly [symbol, string] => typeof entry[0] === 'symbol'),
)

export function isCommonSymbol(symbol: symbol): boolean {
  return Symbol.keyFor(symbol) !== undefined || wellKnownSymbols.has(symbol)
}
