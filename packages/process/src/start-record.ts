/**
 * The start record: how a child gets what it is to run, and what outlives it.
 *
 * An object of the directory with the pages of the pickled payload, held by the parent until
 * the child has ended, and by the child until then. The child frees the pages once it has copied
 * the payload; else they are freed with the record. So are the copies of handles that the child
 * has not received.
 *
 * | word | name       | meaning                                              | written by        |
 * | ---- | ---------- | ---------------------------------------------------- | ----------------- |
 * | 0    | page       | first page of the payload                            | the parent        |
 * | 1    | byteLength | length of the payload                                | the parent        |
 * | 2    | parent     | tag                                                  | the parent        |
 * | 3    | child      | tag; 0 until it has joined the session               | the child         |
 * | 4    | exit       | exit code (8 bits) + 1; 0 until it exits             | the child         |
 * | 5    | pid        | pid of a fork, before it runs                        | the kernel        |
 * | 8–23 | waiters    | who waits for the end; nobody wakes them but a death | waiters           |
 *
 * @module
 */
import {
  OBJECT_OWNER,
  OBJECT_TYPE,
  type ObjectHandle,
  OutOfSharedMemoryError,
  type Session,
  WAIT_SET_WORDS,
  givePages,
  pagesFor,
} from '@mp/shared-memory/internal'

export const RECORD = {
  page: 0,
  byteLength: 1,
  parent: 2,
  child: 3,
  exit: 4,
  pid: 5,
  waiters: 8,
} as const

/** Makes a record with its payload, for a child that does not exist yet. */
export function createRecord(session: Session, payload: Uint8Array): ObjectHandle {
  const { agent, directory, pages, words } = session
  const shape = {
    type: OBJECT_TYPE.process,
    words: RECORD.waiters + WAIT_SET_WORDS,
    sets: RECORD.waiters,
    setCount: 1,
  }
  const length = pagesFor(payload.byteLength)
  const page = pages.arena.take(length)
  if (page < 0) {
    throw new OutOfSharedMemoryError(
      `The session has no room for the ${payload.byteLength} bytes of a process's target and arguments; ` +
        'raise MP_MEMORY_LIMIT (bytes) or send less',
    )
  }
  // CRASH: until the pages are given to the record they are signed by us, and freed by our reaper.
  try {
    pages.write(page, payload)
    const record = directory.create(shape, (base) => {
      Atomics.store(words, base + RECORD.page, page)
      Atomics.store(words, base + RECORD.byteLength, payload.byteLength)
      Atomics.store(words, base + RECORD.parent, agent.tag)
    })
    givePages(words, pages.arena, record.index, page, length)
    return record
  } catch (error) {
    pages.arena.free(page, length)
    throw error
  }
}

/** Copies the payload out and frees its pages; for the child, once. */
export function takePayload(session: Session, record: ObjectHandle): Uint8Array {
  const { pages, words } = session
  const page = Atomics.load(words, record.base + RECORD.page)
  const byteLength = Atomics.load(words, record.base + RECORD.byteLength)
  const payload = pages.copy(page, byteLength)
  freePages(session, record)
  return payload
}

/** Lets go of the record; for the parent, when the child has ended. What was sent and has not arrived ends with it. */
export function letGoOfRecord(session: Session, record: ObjectHandle): void {
  session.lifetime.forget(record.index)
}

/** Only pages that still carry the mark: the child may have freed them, and others taken them since. */
function freePages(session: Session, record: ObjectHandle): void {
  const { words, pages } = session
  const page = Atomics.load(words, record.base + RECORD.page)
  const length = pagesFor(Atomics.load(words, record.base + RECORD.byteLength))
  const mark = OBJECT_OWNER | record.index
  for (let i = page; i < page + length; i++) {
    if (pages.arena.owner(i) === mark) pages.arena.free(i, 1)
  }
}
