/**
 * All mutations.
 *
 * @module
 */
import { books } from './books.js'
import { core } from './core.js'
import { holding } from './holding.js'
import { locks } from './locks.js'
import { messages } from './messages.js'
import type { Mutation } from './mutation.js'
import { others } from './others.js'

export const mutations: readonly Mutation[] = [
  ...core,
  ...locks,
  ...others,
  ...messages,
  ...holding,
  ...books,
]
