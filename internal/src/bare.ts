/**
 * Whether the tests run without the addon (`MP_PLATFORM=bare`): then there are threads only.
 *
 * @module
 */
export const isBareRun: boolean = process.env['MP_PLATFORM'] === 'bare'

/** Those of the ways to start a child that there are in this run. */
export function ways<T extends string>(...all: readonly T[]): T[] {
  return isBareRun ? all.filter((way) => way === 'thread') : [...all]
}
