/** Random calls against a plain model; `SEED=… ` has the same again. */
import { JoinableQueue, Queue, SimpleQueue } from '@mp/queue'
import { Random, chooseSeed } from 'mp-internal'
import { describe, expect, test } from 'vitest'
import { Game, TaskGame } from './model.js'

const seed = chooseSeed()
const GAMES = 6

async function playing(play: () => unknown, log: readonly string[], n: number): Promise<void> {
  try {
    await play()
  } catch (error) {
    const last = log.slice(-30).join('\n')
    throw new Error(`${(error as Error).message}\nagain: SEED=${seed}, game ${n}\n${last}`, {
      cause: error,
    })
  }
}

describe(`random calls (SEED=${seed})`, () => {
  test.each([
    ['Queue without bounds', 0, () => new Queue()],
    ['Queue of 5', 5, () => new Queue(5)],
    ['Queue of 1', 1, () => new Queue(1)],
    ['SimpleQueue', 0, () => new SimpleQueue()],
    ['JoinableQueue of 5', 5, () => new JoinableQueue(5)],
    [
      'acknowledged JoinableQueue of 5',
      5,
      () => new JoinableQueue({ maxSize: 5, acknowledge: true }),
    ],
  ] as const)('a %s does what a list does', async (_, maxSize, make) => {
    for (let n = 0; n < GAMES; n++) {
      const queue = make()
      const game = new Game(queue, maxSize, new Random(seed + n))
      await playing(() => game.play(250), game.log, n)
      queue.close()
    }
  })

  test('an acknowledged queue does what lists of queued, taken and returned items do', async () => {
    for (let n = 0; n < GAMES; n++) {
      const queue = new JoinableQueue({ acknowledge: true })
      const game = new TaskGame(queue, new Random(seed + n))
      await playing(
        () => {
          game.play(1_000)
          game.end()
        },
        game.log,
        n,
      )
      queue.close()
    }
    expect.assertions(0)
  })
})
