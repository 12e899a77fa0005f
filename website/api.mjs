/**
 * The API reference: one page for each class, function and type that a package exports, from its doc comments.
 *
 * It is made of the sources, so that it needs no build, and so that a name that a package re-exports from another is linked.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Application, ReflectionKind } from 'typedoc'

const packages = fileURLToPath(new URL('../packages', import.meta.url))

/** Writes the reference into `site`; gives the number of its pages. */
export async function writeApi(site) {
  // The meta-package re-exports the others and adds nothing.
  const names = readdirSync(packages).filter((name) => name !== 'multiprocessing')
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    entryPoints: names.map((name) => `${packages}/${name}/src/index.ts`),
    tsconfig: fileURLToPath(new URL('tsconfig.json', import.meta.url)),
    out: `${site}/api`,
    docsRoot: site,
    router: 'member',
    readme: 'none',
    name: 'API reference',
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeExternals: false,
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'list',
    skipErrorChecking: true,
    logLevel: 'Warn',
    treatValidationWarningsAsErrors: true,
    validation: {
      notExported: false,
      invalidLink: true,
      rewrittenLink: false,
      notDocumented: false,
    },
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the packages')
  // Named after their folders, unless told.
  for (const module of project.children ?? []) module.name = `@mp/${module.name.split('/')[0]}`
  app.validate(project)
  const bare = (project.children ?? []).flatMap(({ name, children = [] }) =>
    children.filter((each) => !isDescribed(each)).map((each) => `${name}: ${each.name}`),
  )
  if (bare.length > 0) throw new Error(`Exported, and without a doc comment:\n${bare.join('\n')}`)
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings()) {
    throw new Error('The API reference has the faults above')
  }
  return readdirSync(`${site}/api`, { recursive: true }).filter((path) => path.endsWith('.md'))
    .length
}

/** Its page would be empty otherwise. A name that another package exports as well is described there. */
function isDescribed(reflection) {
  if (reflection.kind === ReflectionKind.Reference) return true
  return [reflection, ...(reflection.signatures ?? [])].some((each) => each.hasComment())
}
