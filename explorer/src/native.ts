/**
 * The addon's runs of pages, as `native/addon-run.c` has them, where user code sees bytes of the explored world.
 *
 * A view that is read or written after it was emptied, or shows a page that is another's, fails the exploration. The
 * engine collects nothing here: what is not released stays.
 *
 * @module
 */
import { CONTROL_BYTES, type NativeRun } from '@mp/shared-memory/internal'
import { BYTES } from './builtins.js'
import { bytesFrom } from './data.js'
import type { Host } from './host.js'

interface Run {
  readonly word: number
  readonly count: number
  readonly owner: number
  readonly views: Set<View>
}

interface View {
  readonly byteLength: number
  readonly [BYTES]: object
  isOpen: boolean
}

/** What the core's classes need of the addon to show pages. */
export interface Runs {
  runOpen(word: number, count: number, owner: number): NativeRun
  runView(run: NativeRun, byteOffset: number, byteLength: number): ArrayBuffer
  runDetach(run: NativeRun, buffer: ArrayBuffer): void
  runClose(run: NativeRun): boolean
  detach(buffer: ArrayBuffer): void
  punch(): void
  keepFreed(): void
}

export function makeRuns({ words, data }: Pick<Host, 'words' | 'data'>): Runs {
  const runs = new WeakMap<NativeRun, Run>()
  const runOf = (handle: NativeRun): Run => runs.get(handle)!
  const checkOwned = ({ word, count, owner }: Run): void => {
    for (let n = 0; n < count; n++) {
      if (Atomics.load(words, word + n) !== owner)
        throw new Error('pages are given to another while they are shown')
    }
  }
  return {
    runOpen(word, count, owner) {
      const handle = {} as NativeRun
      runs.set(handle, { word, count, owner, views: new Set() })
      return handle
    },
    runView(handle, byteOffset, byteLength) {
      const checked = {
        origin: data.origin,
        load: (at: number) => (check(), data.load(at)),
        store: (at: number, value: number) => (check(), data.store(at, value)),
      }
      const view: View = {
        byteLength,
        [BYTES]: bytesFrom(checked, byteOffset - CONTROL_BYTES, byteLength),
        isOpen: true,
      }
      const check = (): void => {
        if (!view.isOpen) throw new Error('a view is used that was emptied')
      }
      runOf(handle).views.add(view)
      return view as unknown as ArrayBuffer
    },
    runDetach(handle, buffer) {
      const run = runOf(handle)
      const view = buffer as unknown as View
      if (!run.views.delete(view)) return
      checkOwned(run)
      view.isOpen = false
    },
    runClose: (handle) => runOf(handle).views.size === 0,
    detach() {},
    punch() {},
    keepFreed() {},
  }
}
