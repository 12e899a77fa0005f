/**
 * What a victim writes down before its death, in plain shared memory that no case uses.
 *
 * @module
 */

/** Entries of the board: when the victim died, whether its operation was over by then, and how many atomics that took. */
export const BOARD = { death: 0, ended: 1, count: 2 } as const
export const BOARD_LENGTH = 3
