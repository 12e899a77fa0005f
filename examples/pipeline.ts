/**
 * A pipeline: one process reads lines, several parse them, one adds up. Queues stand between them.
 *
 *     npx tsx pipeline.ts [lines]
 *
 * The queues are short, so whoever is too fast waits for the others, and memory stays small however long the input is.
 */
import { Process, Queue } from '@mp/multiprocessing'

interface Sale {
  city: string
  cents: number
}

const lines = Number(process.argv[2] ?? 10_000)
const cities = ['Oslo', 'Porto', 'Quito']

async function read(raw: Queue<string>): Promise<void> {
  for (let i = 0; i < lines; i++) await raw.put(`${cities[i % 3]};${i % 100}.${10 + (i % 90)}`)
  raw.shutdown()
}

async function parse(raw: Queue<string>, sales: Queue<Sale>): Promise<void> {
  for await (const line of raw) {
    const [city = '', amount] = line.split(';')
    await sales.put({ city, cents: Math.round(100 * Number(amount)) })
  }
}

async function addUp(sales: Queue<Sale>, totals: Queue<[string, number]>): Promise<void> {
  const sums = new Map<string, number>()
  for await (const { city, cents } of sales) sums.set(city, (sums.get(city) ?? 0) + cents)
  await totals.putMany(sums)
  totals.shutdown()
}

const raw = new Queue<string>(64)
const sales = new Queue<Sale>(64)
const totals = new Queue<[string, number]>()
new Process({ target: read, args: [raw], name: 'reader' }).start()
const parsers = [1, 2].map((n) =>
  new Process({ target: parse, args: [raw, sales], name: `parser-${n}` }).start(),
)
new Process({ target: addUp, args: [sales, totals], name: 'adder' }).start()

for (const parser of parsers) await parser.join()
sales.shutdown() // both parsers have ended: nobody will put any more
for await (const [city, cents] of totals) console.log(`${city}: ${(cents / 100).toFixed(2)}`)
