/**
 * Where the records of a ring can stand. For words that others have written.
 *
 * @module
 */
import type { Arena } from '../arena.js'
import { OBJECT_OWNER, PAGE_BYTES } from '../layout.js'
import { PAGE_START } from './layout.js'

export class Places {
  readonly #pages: Arena
  readonly #mark: number
  /** A page that was the object's when it was last looked up; most records stand in the page of the one before. */
  #known = -1

  /** @param index of the object that the ring is part of. */
  constructor(pages: Arena, index: number) {
    this.#pages = pages
    this.#mark = OBJECT_OWNER | index
  }

  /** Whether a record can stand there: in a page of the object, or at its end. */
  has(page: number, offset: number): boolean {
    if ((offset & 7) !== 0 || offset < PAGE_START || offset > PAGE_BYTES) return false
    // What is known at first is no page.
    if (page < 0) return false
    return page === this.#known || this.#look(page)
  }

  #look(page: number): boolean {
    if (!this.#pages.has(page, 1) || this.#pages.owner(page) !== this.#mark) return false
    this.#known = page
    return true
  }
}
