/**
 * Programs that were started apart talk over a socket: one serves, any number of others ask.
 *
 *     npx tsx remote.ts serve squares.sock
 *     npx tsx remote.ts ask squares.sock 2 3 4
 *
 * With a port instead of a path, they may run on different machines. Both know the key from their environment.
 */
import { Client, Listener, type SocketConnection } from '@mp/multiprocessing'

const [role, place = 'squares.sock', ...numbers] = process.argv.slice(2)
const address = /^\d+$/.test(place) ? { port: Number(place) } : place
const authKey = process.env['MP_EXAMPLE_KEY'] ?? 'not much of a secret'

/** Answers one client until it hangs up. */
async function answer(connection: SocketConnection<number, number>): Promise<void> {
  for await (const n of connection) await connection.send(n * n)
  console.log('a client has hung up')
  connection.close()
}

async function serve(): Promise<void> {
  const listener = await Listener.listen<number, number>({
    address,
    authKey,
    onRefused: (reason) => console.log(`somebody was not let in: ${reason.message}`),
  })
  process.once('SIGTERM', () => listener.close())
  process.once('SIGINT', () => listener.close())
  console.log('listening')
  const all: Promise<void>[] = []
  // Until the listener is closed.
  for await (const connection of listener) all.push(answer(connection))
  await Promise.all(all)
  console.log('closed')
}

async function ask(): Promise<void> {
  const connection = await Client<number, number>(address, { authKey, timeout: 5000 })
  for (const n of numbers.map(Number)) {
    await connection.send(n)
    console.log(`the square of ${n} is ${await connection.recv({ timeout: 5000 })}`)
  }
  connection.close()
}

await (role === 'serve' ? serve() : ask())
