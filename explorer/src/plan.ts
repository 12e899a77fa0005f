/**
 * What is explored when nobody says otherwise: small enough for each change, large enough to find its mistakes.
 *
 * @module
 */
import { UNBOUNDED } from './state.js'

/** An exhaustive exploration within bounds. */
export interface Plan {
  readonly scenario: string
  readonly deaths: number
  readonly preemptions: number
}

const of = (deaths: number, preemptions: number, ...scenarios: readonly string[]): Plan[] =>
  scenarios.map((scenario) => ({ scenario, deaths, preemptions }))

export const plans: readonly Plan[] = [
  // Every order, and a death at every step.
  ...of(1, UNBOUNDED, 'lock-sync', 'event-sync', 'event-async', 'event-timeout'),
  ...of(
    0,
    UNBOUNDED,
    'lock-async',
    'lock-timeout',
    'lock-abort',
    'event-pulse',
    'event-pulse-once',
  ),
  ...of(1, 2, 'lock-async', 'lock-timeout', 'lock-timeout-async', 'lock-abort'),
  ...of(1, 2, 'lock-mixed', 'rlock'),
  ...of(1, 1, 'lock-again', 'lock-again-async'),
  ...of(0, 1, 'lock-frozen-3', 'lock-again-3', 'lock-held-timeout-3', 'lock-abort-3'),
  ...of(1, 1, 'lock-sync-3', 'lock-orphan-3', 'lock-orphan-async-3', 'lock-news-3'),
  ...of(1, 0, 'lock-async-3'),
  ...of(2, 0, 'lock-sync-3', 'lock-orphan-3'),
  ...of(1, 2, 'semaphore-sync', 'semaphore-signed', 'semaphore-signal'),
  ...of(1, 1, 'semaphore-async'),
  ...of(0, 2, 'semaphore-hand-over', 'semaphore-timeout', 'semaphore-abort'),
  ...of(1, 0, 'semaphore-sync-3', 'semaphore-signal-3', 'semaphore-signal-once-3'),
  ...of(1, 2, 'event-two-setters-3'),
  ...of(1, 1, 'event-sync-3'),
  ...of(1, 0, 'event-async-3'),
  ...of(1, 1, 'condition-sync', 'condition-async'),
  ...of(0, 2, 'condition-once'),
  ...of(1, 0, 'condition-one-3', 'condition-sync-3', 'condition-timeout-3'),
  ...of(1, 2, 'barrier-sync', 'barrier-timeout'),
  ...of(1, 1, 'barrier-async'),
  ...of(0, 2, 'barrier-twice'),
  ...of(0, 1, 'barrier-sync-3'),
  ...of(1, 0, 'barrier-twice', 'barrier-sync-3'),
  ...of(1, 1, 'barrier-party-dies-3'),
  ...of(1, 2, 'rwlock-sync', 'rwlock-writers', 'rwlock-async'),
  ...of(1, 0, 'rwlock-sync-3'),
  ...of(1, 2, 'ring-batch', 'ring-reuse', 'ring-close', 'pipe-eof'),
  ...of(1, 1, 'ring-sync', 'ring-full'),
  ...of(1, 1, 'pipe-broken'),
  ...of(0, 1, 'ring-two-putters-3', 'ring-two-takers-3', 'ring-shared-batch-3'),
  ...of(0, 2, 'ring-closed-by-another-3', 'pipe-passed-on-3'),
  ...of(1, 0, 'ring-async', 'ring-extents', 'pipe-eof-async'),
  ...of(1, 0, 'ring-two-putters-3', 'ring-two-takers-3', 'ring-shared-batch-3'),
  ...of(1, 0, 'ring-closed-by-another-3', 'pipe-passed-on-3'),
  ...of(1, 0, 'pipe-escrow-3', 'pipe-escrow-taken-3'),
  ...of(1, 0, 'claims-work', 'claims-work-async', 'claims-extents', 'claims-pages'),
  ...of(1, 0, 'claims-give-back', 'claims-leave-3'),
  ...of(1, 0, 'lease-reuse', 'lease-takers', 'loan-put', 'loan-refused'),
  ...of(1, 0, 'lease-takers-3', 'lease-outlived-3'),
  ...of(1, 0, 'memory-wait', 'memory-wait-async', 'memory-wait-two-rings'),
  ...of(1, 1, 'books-twice-3', 'books-rows-3'),
  ...of(1, 2, 'books-own-row'),
]

/** What `pnpm explore` explores beside: the same in wider bounds, a minute or two of a processor. */
export const widerPlans: readonly Plan[] = [
  ...of(1, 2, 'lock-again', 'barrier-async'),
  ...of(1, 1, 'condition-one-3', 'ring-extents', 'ring-async', 'pipe-eof-async'),
  ...of(1, 1, 'claims-work', 'claims-extents', 'claims-give-back', 'claims-pages'),
  ...of(1, 0, 'claims-join-3', 'claims-drop-3'),
  ...of(1, 1, 'lease-reuse', 'lease-takers', 'lease-reaped-3', 'loan-put', 'loan-refused'),
  ...of(1, 1, 'lease-outlived-3', 'memory-wait', 'memory-wait-async'),
  ...of(1, 0, 'memory-wait-two-3'),
  ...of(1, 2, 'books-twice-3', 'books-rows-3'),
  ...of(2, 1, 'books-rows-3'),
]
