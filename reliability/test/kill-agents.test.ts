/** Kills in joining, leaving, making, reaping. */
import { groups } from 'mp-reliability'
import { testGroup } from './kill-group.js'

testGroup([...groups['agents']])
