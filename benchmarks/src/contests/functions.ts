/**
 * What sending a function costs. Nobody else sends any, so ours are beside each other.
 *
 * @module
 */
import { type Contest, type Extent, MICROSECONDS, share } from '../contest.js'
import type { FunctionSpec } from '../programs/functions.js'

const TITLES: Record<FunctionSpec['what'], string> = {
  'cached-function': 'cached function',
  'cached-class': 'cached class',
  'cached-instance': 'cached instance',
  'cached-assigned': 'cached, reads a variable that is assigned',
  anew: 'another of the same place',
  later: 'another of the same file',
  first: 'first of a process',
}

/** The one contest of functions. */
export function functionContests(extent: Extent): Contest[] {
  return [
    {
      group: 'functions',
      name: 'dumps',
      title: 'To pickle a function by value',
      unit: MICROSECONDS,
      form: 'smoke',
      goals: [
        {
          text: 'a function that was sent before: at most 20 µs',
          of: 'cached function',
          limit: 20,
        },
        { text: 'another function: at most 1 ms', of: TITLES.later, limit: 1_000 },
        { text: 'the first function of a process: at most 40 ms', of: TITLES.first, limit: 40_000 },
      ],
      contenders: (Object.keys(TITLES) as FunctionSpec['what'][]).map((what) => ({
        name: TITLES[what],
        kind: 'ours',
        program: 'programs/functions.js',
        spec: { what, count: share(extent, 3_000) } satisfies FunctionSpec,
      })),
    },
  ]
}
