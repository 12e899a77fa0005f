/**
 * What the other `@mp` packages build on. Not for users: no promise of stability.
 *
 * @module
 */
export { type Likeness, constancyOf, isAlike, likenessOf } from './constant.js'
export { bytesMessageHead } from './encode/binary.js'
export { hasPrivateElements } from './functions/private-names.js'
export { loadByUrl } from './modules/load.js'
export { NOT_PRIMITIVE, loadPrimitive } from './primitive.js'
export { sampleFunction } from './sample.js'
