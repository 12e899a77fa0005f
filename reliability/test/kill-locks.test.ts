/** Kills in whatever is acquired and released. */
import { groups } from 'mp-reliability'
import { testGroup } from './kill-group.js'

testGroup([...groups['locks']])
