/**
 * Whether the tests run without the addon (`MP_PLATFORM=bare`): then there are threads only.
 *
 * @module
 */
export const isBareRun: boolean = process.env['MP_PLATFORM'] === 'bare'

/** What `join` gives of a child that has ended by `dieNow`: of a thread, what its engine makes of it. */
export function wasKilled(code: number | null): boolean {
  return isBareRun ? code === 9 || code === 1 : code === -9
}

/** Those of the ways to start a child that there are in this run. */
export function ways<T extends string>(...all: readonly T[]): T[] {
  return isBareRun ? all.filter((way) => way === 'thread') : [...all]
}
