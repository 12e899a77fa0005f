/** Kills in queues and pipes. */
import { groups } from 'mp-reliability'
import { testGroup } from './kill-group.js'

testGroup([...groups['queue'], ...groups['pipe'], ...groups['escrow']])
