/**
 * The names that every Node program finds on `globalThis`, of Node 20 to 26 together.
 *
 * Code that uses one of them finds it on the other side too; any other global is the program's own.
 *
 * @module
 */

const NAMES = `AbortController AbortSignal AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt
  BigInt64Array BigUint64Array Blob Boolean BroadcastChannel Buffer ByteLengthQueuingStrategy
  CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException
  DataView Date DecompressionStream DisposableStack Error ErrorEvent EvalError Event EventSource
  EventTarget File FinalizationRegistry Float16Array Float32Array Float64Array FormData Function
  Headers Infinity Int16Array Int32Array Int8Array Intl Iterator JSON Map Math MessageChannel
  MessageEvent MessagePort NaN Navigator Number Object Performance PerformanceEntry PerformanceMark
  PerformanceMeasure PerformanceObserver PerformanceObserverEntryList PerformanceResourceTiming
  Promise Proxy QuotaExceededError RangeError ReadableByteStreamController ReadableStream
  ReadableStreamBYOBReader ReadableStreamBYOBRequest ReadableStreamDefaultController
  ReadableStreamDefaultReader ReferenceError Reflect RegExp Request Response Set SharedArrayBuffer
  Storage String SubtleCrypto SuppressedError Symbol SyntaxError Temporal TextDecoder
  TextDecoderStream TextEncoder TextEncoderStream TransformStream TransformStreamDefaultController
  TypeError URIError URL URLPattern URLSearchParams Uint16Array Uint32Array Uint8Array
  Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly WebSocket WritableStream
  WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearImmediate clearInterval
  clearTimeout console crypto decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval
  fetch global globalThis isFinite isNaN localStorage navigator parseFloat parseInt performance
  process queueMicrotask sessionStorage setImmediate setInterval setTimeout structuredClone undefined
  unescape`

let names: ReadonlySet<string> | undefined

/** Names of ECMAScript, of the web's APIs in Node, and of Node itself. Made on demand: most children ask for none. */
export function globalNames(): ReadonlySet<string> {
  return (names ??= new Set(NAMES.split(/\s+/)))
}
