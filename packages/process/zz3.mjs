import { getContext } from '@mp/process'
const { Process: P } = getContext('forkserver')
const g = () => {}
for (let i = 0; i < 3; i++) await new P({ target: g }).start().join()
