/**
 * Where another process or thread finds what arrives there by name. Relative to the folder of what is built, whether
 * modules are files of their own or parts of a bundle.
 *
 * @module
 */
import { noteLoaded } from '@mp/shared-memory/internal'

export const ORIGIN: string = new URL('./revived.cjs', import.meta.url).href

// Children import it by its name.
noteLoaded(new URL('./index.js', import.meta.url).href)
noteLoaded(ORIGIN)
