/** Kills in acknowledged queues. */
import { groups } from 'mp-reliability'
import { testGroup } from './kill-group.js'

testGroup(groups['acknowledged'])
