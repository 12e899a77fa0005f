/** Deaths that nobody tells of, as in sandboxes without pidfds: waiters look. */
import { habits } from './agents.js'
import { describeDetection } from './detection-suite.js'
import { describeRecovery } from './recovery-suite.js'

// Read when the addon is loaded, and inherited by the children.
process.env['MP_NO_PIDFD'] = '1'
habits.reapsAtExit = false
describeDetection('probes')
describeRecovery('probes')
