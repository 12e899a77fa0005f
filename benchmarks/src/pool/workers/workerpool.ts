/** The worker of workerpool. */
import workerpool from 'workerpool'
import { echo, noop, work } from './functions.js'

workerpool.worker({ noop, echo, work })
