/**
 * Tells the engine of memory that a collection might free, where `napi_adjust_external_memory` is not there.
 *
 * The engine counts the bytes of ArrayBuffers, whether they are touched or not: so we hold some that never are.
 *
 * @module
 */

/** As large as the C library maps afresh from the system: pages that are not touched do not exist. */
const PIECE_BYTES = 1 << 20

export class Ballast {
  readonly #pieces: ArrayBuffer[] = []
  #bytes = 0

  add(byteLength: number): void {
    this.#bytes += byteLength
    const wanted = Math.floor(this.#bytes / PIECE_BYTES)
    while (this.#pieces.length < wanted) this.#pieces.push(new ArrayBuffer(PIECE_BYTES))
    // Not the moment it is less: what goes up and down by one object would make a piece each time.
    if (this.#pieces.length > wanted + 1) this.#pieces.length = wanted + 1
  }
}
