/** The worker of workerpool. */
import workerpool from 'workerpool'
import { echo, noop } from './functions.js'

workerpool.worker({ noop, echo })
