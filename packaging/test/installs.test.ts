import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brings, commonProgram, moduleProgram, samples } from './programs.js'
import { installedPackages, installers, makeProject, packAll, run } from './project.js'

let folder: string
let files: Record<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mp-installs-'))
  files = await packAll(folder)
})

afterAll(() => rmSync(folder, { recursive: true }))

describe.each(Object.keys(samples))('@mp/%s, installed alone', (name) => {
  test.each(Object.keys(installers))(
    'with %s, brings only what it is built on and works',
    async (by) => {
      const project = join(folder, `${by}-${name}`)
      makeProject(project, name, files)
      await installers[by](project)
      writeFileSync(join(project, 'program.mjs'), moduleProgram(name))
      writeFileSync(join(project, 'program.cjs'), commonProgram(name))
      expect(await installedPackages(project)).toEqual(brings[name])
      const printed = await Promise.all(
        ['program.mjs', 'program.cjs'].map((file) => run(process.execPath, [file], project)),
      )
      expect(printed).toEqual([samples[name].expected, samples[name].expected])
    },
  )
})
