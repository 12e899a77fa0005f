/**
 * The part of this package that is loaded when it is first needed.
 *
 * It has half of the files, and most processes are children that only receive functions. It is
 * loaded at once, since `dumps` cannot wait.
 *
 * @module
 */
import type * as Sender from './sender.js'
import { loadNow } from '../modules/load.js'

let sender: typeof Sender | undefined

export function functionSender(): typeof Sender {
  sender ??= loadNow({
    specifier: new URL('./sender.cjs', import.meta.url).href,
    parent: '',
    kind: 'require',
  }) as typeof Sender
  return sender
}
