/**
 * Multiplies two matrices that lie in shared memory; a task is a band of rows.
 *
 *     npx tsx matrix.ts [size]
 */
import { Pool, SharedArray, cpuCount } from '@mp/multiprocessing'

const size = Number(process.argv[2] ?? 512)
const random = (_: unknown, i: number): number => ((i * 7919 + 13) % 1000) / 1000
const a = new SharedArray(Float64Array, Array.from({ length: size * size }, random))
const b = new SharedArray(Float64Array, Array.from({ length: size * size }, random).reverse())
const product = new SharedArray(Float64Array, size * size)

/** Rows `from` up to, not including, `to` of the product. The arrays are captured, and not copied. */
function multiply(from: number, to: number): void {
  const [left, right, out] = [a.array, b.array, product.array]
  for (let row = from; row < to; row++) {
    for (let k = 0; k < size; k++) {
      const factor = left[row * size + k]
      for (let column = 0; column < size; column++) {
        out[row * size + column] += factor * right[k * size + column]
      }
    }
  }
}

const bandHeight = Math.ceil(size / (4 * cpuCount()))
const bands: [number, number][] = []
for (let row = 0; row < size; row += bandHeight) bands.push([row, Math.min(row + bandHeight, size)])

await using pool = new Pool()
await pool.apply(Math.sqrt, [2]) // the workers run now
let start = performance.now()
await pool.starmap(multiply, bands, { chunkSize: 1 })
const together = performance.now() - start

const expected = product.array.slice()
product.array.fill(0)
start = performance.now()
multiply(0, size)
const alone = performance.now() - start
const same = expected.every((value, i) => value === product.array[i])
console.log(`${size} × ${size}, ${bands.length} bands: ${same ? 'the same product' : 'DIFFERENT'}`)
console.log(`alone ${alone.toFixed()} ms, on ${cpuCount()} CPUs ${together.toFixed()} ms`)
