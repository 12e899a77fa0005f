/**
 * All cases, by name.
 *
 * @module
 */
import { acknowledgedCases } from './acknowledged-cases.js'
import { agentCases } from './agent-cases.js'
import { barrierCases } from './barrier-cases.js'
import type { KillCase } from './case.js'
import { conditionCases } from './condition-cases.js'
import { escrowCases } from './escrow-cases.js'
import { eventCases } from './event-cases.js'
import { lockCases } from './lock-cases.js'
import { pipeCases } from './pipe-cases.js'
import { queueCases } from './queue-cases.js'

/** Cases that belong together. */
export const groups: Readonly<Record<string, readonly KillCase[]>> = {
  acknowledged: acknowledgedCases,
  agents: agentCases,
  barrier: barrierCases,
  condition: conditionCases,
  escrow: escrowCases,
  event: eventCases,
  locks: lockCases,
  pipe: pipeCases,
  queue: queueCases,
}

const all = new Map(Object.values(groups).flatMap((cases) => cases.map((one) => [one.name, one])))

export function findCase(name: string): KillCase {
  const found = all.get(name)
  if (found === undefined) throw new Error(`There is no case \`${name}\``)
  return found
}
