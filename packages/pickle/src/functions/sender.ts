/**
 * What only a process that sends functions or instances of classes needs: the inspector, a parser,
 * an analysis of scopes. Loaded as a whole when the first is sent: see `on-demand.ts`.
 *
 * @module
 */
export { recordOf, recordToWrite } from './capture.js'
export { extrasOf } from './extras.js'
export { moduleOfNamespace } from './namespaces.js'
export { whyUnsendable } from './unsendable.js'
