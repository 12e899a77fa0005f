/**
 * Where another process or thread finds what arrives there by name. Relative to the folder of what is built, whether
 * modules are files of their own or parts of a bundle.
 *
 * @module
 */
export const ORIGIN: string = new URL('./revived.cjs', import.meta.url).href

/** The same, of what workers get. */
export const HIRED: string = new URL('./hired.cjs', import.meta.url).href
