/**
 * Ends at once.
 *
 * @module
 */
export {}
