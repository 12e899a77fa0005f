import { getContext } from '@mp/process'
const m = process.argv[2]
const { Process: P } = getContext(m)
const g = () => {}
for (let i = 0; i < 10; i++) await new P({ target: g }).start().join()
const ts = []
for (let i = 0; i < 40; i++) { const t = performance.now(); await new P({ target: g }).start().join(); ts.push(performance.now() - t) }
ts.sort((a, b) => a - b)
console.log(m, process.version, 'min', ts[0].toFixed(2), 'median', ts[20].toFixed(2))
