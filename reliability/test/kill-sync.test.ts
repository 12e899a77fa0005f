/** Kills in events, conditions and barriers. */
import { groups } from 'mp-reliability'
import { testGroup } from './kill-group.js'

testGroup([...groups['event'], ...groups['condition'], ...groups['barrier']])
