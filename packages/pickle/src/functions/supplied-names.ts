/**
 * Names by which travelling code refers to what its receiver supplies.
 *
 * Chosen not to meet a program's own names.
 *
 * @module
 */

/** The base class of a class. */
export const BASE = '$mp_base'
/** `import.meta`. */
export const META = '$mp_meta'
/** `import()`. */
export const IMPORT = '$mp_import'
