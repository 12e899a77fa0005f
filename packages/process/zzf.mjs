import { fork } from 'node:child_process'
const ts = []
for (let i = 0; i < 15; i++) { const t = performance.now(); await new Promise(r => fork('/tmp/w/F/proto/empty.mjs').once('exit', r)); ts.push(performance.now() - t) }
ts.sort((a, b) => a - b); console.log('fork', ts[0].toFixed(2), ts[7].toFixed(2))
