import { getContext } from '@mp/process'
import { readFileSync } from 'node:fs'
const { Process: P } = getContext('forkserver')
const g = () => { const u = process.resourceUsage(); const f = process.cpuUsage(); process.on('exit', () => { }); console.error('in target', performance.now()) }
const hr = process.hrtime.bigint
for (let i = 0; i < 3; i++) { console.error('---', performance.timeOrigin + performance.now()); await new P({ target: () => { const { writeSync } = process.getBuiltinModule ? process.getBuiltinModule('fs') : {}; process.on('exit', () => console.error('exit', performance.timeOrigin + performance.now())); console.error('target', performance.timeOrigin + performance.now()) } }).start().join(); console.error('joined', performance.timeOrigin + performance.now()) }
