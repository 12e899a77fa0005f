/** Deaths that the system tells of. */
import { habits } from './agents.js'
import { describeDetection } from './detection-suite.js'
import { describeRecovery } from './recovery-suite.js'

habits.reapsAtExit = false
describeDetection('events')
describeRecovery('events')
