/**
 * A web server that has to compute, under load: what others wait for, when it computes itself and when a pool does:
 *     npx tsx web-server.ts [requests]
 *
 * `/heavy` takes a tenth of a second of CPU. `/light` takes none, yet waits while the event loop computes.
 */
import { Pool } from '@mp/multiprocessing'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const requests = Number(process.argv[2] ?? 10)
const ROUNDS = 10_000_000

/** Burns CPU, and gives something that can be checked. */
function heavy(rounds: number): number {
  let x = 1
  for (let i = 0; i < rounds; i++) x = (x * 48271) % 2147483647
  return x
}

async function listen(compute: (rounds: number) => number | Promise<number>): Promise<Server> {
  const answer = async (url = ''): Promise<string> =>
    url === '/heavy' ? String(await compute(ROUNDS)) : 'light'
  const server = createServer((request, response) => {
    answer(request.url).then(
      (text) => response.end(text),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Sends heavy requests all at once, and light ones one after the other until those are answered. */
async function load(title: string, server: Server): Promise<string[]> {
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const get = async (path: string): Promise<string> => (await fetch(base + path)).text()
  await get('/light')
  let done = false
  const all = Promise.all(Array.from({ length: requests }, () => get('/heavy')))
  const answers = all.finally(() => (done = true))
  const waits: number[] = []
  do {
    const start = performance.now()
    await get('/light')
    waits.push(performance.now() - start)
  } while (!done)
  waits.sort((a, b) => a - b)
  const [median, worst] = [waits[waits.length >> 1], waits.at(-1)!].map((ms) => ms.toFixed(1))
  console.log(`${title}: ${waits.length} light answers, median ${median} ms, worst ${worst} ms`)
  server.close()
  server.closeAllConnections()
  return answers
}

await using pool = new Pool()
await pool.apply(heavy, [1]) // the workers run now
const alone = await load('computes itself', await listen(heavy))
const pooled = await load('has a pool', await listen((rounds) => pool.apply(heavy, [rounds])))
console.log(alone.join() === pooled.join() ? 'the same answers' : 'DIFFERENT answers')
