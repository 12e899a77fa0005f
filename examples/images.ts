/**
 * Makes thumbnails of all PNG files of a folder, and finds the colour of each; one file is one task.
 *
 *     npx tsx images.ts [folder [target folder]]
 *
 * Workers get a path and give back a few numbers: the pixels stay where they are.
 */
import { Pool } from '@mp/multiprocessing'
import { convertIndexedToRgb, decode, encode } from 'fast-png'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const package_ = fileURLToPath(import.meta.resolve('jquery-ui-themes/package.json'))
const [folder = join(package_, '../themes'), target] = process.argv.slice(2)
const WIDTH = 24

function thumbnail(path: string): { pixels: number; colour: string; bytes: number } {
  const image = decode(readFileSync(path))
  const indexed = image.palette !== undefined
  const data = indexed ? convertIndexedToRgb(image) : image.data
  const channels = indexed ? image.palette![0].length : image.channels
  const step = Math.max(1, Math.ceil(image.width / WIDTH))
  const width = Math.floor(image.width / step)
  const height = Math.max(1, Math.floor(image.height / step))
  const small = new Uint8Array(width * height * channels)
  const sums = new Float64Array(channels)
  const scale = image.depth === 16 && !indexed ? 257 : 1
  for (let i = 0; i < small.length; i++) {
    // The mean of a square of step × step pixels.
    const [c, x, y] = [
      i % channels,
      Math.floor(i / channels) % width,
      Math.floor(i / channels / width),
    ]
    let sum = 0
    let count = 0
    for (let dy = 0; dy < step && y * step + dy < image.height; dy++) {
      for (let dx = 0; dx < step; dx++, count++) {
        sum += data[((y * step + dy) * image.width + x * step + dx) * channels + c]
      }
    }
    small[i] = sum / count / scale
    sums[c] += small[i]
  }
  const png = encode({ width, height, data: small, channels: channels, depth: 8 })
  if (target !== undefined) writeFileSync(join(target, basename(path)), png)
  const colour = [...sums].map((sum) => Math.round(sum / width / height)).join()
  return { pixels: image.width * image.height, colour, bytes: png.byteLength }
}

const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.png'))
  .map((path) => join(folder, path))
await using pool = new Pool()
const all = await pool.map(thumbnail, paths)
const pixels = all.reduce((sum, each) => sum + each.pixels, 0)
const bytes = all.reduce((sum, each) => sum + each.bytes, 0)
console.log(`${all.length} images, ${pixels} pixels, ${bytes} bytes of thumbnails`)
console.log(`${new Set(all.map(({ colour }) => colour)).size} different colours`)
