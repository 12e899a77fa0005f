/**
 * Two processes talk over a duplex `Pipe`: one asks, the other answers, until the first hangs up.
 *
 *     npx tsx pipe.ts
 */
import { type Connection, Pipe, Process } from '@mp/multiprocessing'

async function ask(connection: Connection<number, string>): Promise<void> {
  for (let n = 1; n <= 5; n++) {
    await connection.send(n)
    console.log(`asked for the square of ${n}: ${await connection.recv()}`)
  }
  connection.close()
}

async function answer(connection: Connection<string, number>): Promise<void> {
  for await (const n of connection) await connection.send(`${n * n}, says process ${process.pid}`)
  console.log('the other end has hung up')
}

const [left, right] = Pipe<number, string>()
const asking = new Process({ target: ask, args: [left] }).start()
const answering = new Process({ target: answer, args: [right] }).start()

// The children hold the ends now. While we held one too, the other side would not see it close.
left.close()
right.close()

await asking.join()
await answering.join()
