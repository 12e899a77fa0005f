/**
 * Names by which travelling code refers to what its receiver supplies, and a mark to know it by.
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

/** First characters of every body, by which code that came from elsewhere is recognised. */
export const BODY_MARK = '/*@mp/pickle*/'
