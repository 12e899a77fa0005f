/**
 * The API reference: one page for each class, function and type that a package exports, from its doc comments.
 *
 * It is made of the sources, so that it needs no build, and so that a name that a package re-exports from another is linked.
 */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'

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
    logLevel: 'Error',
    validation: false,
  })
  const project = await app.convert()
  if (project === undefined) throw new Error('TypeDoc could not read the packages')
  // Named after their folders, unless told.
  for (const module of project.children ?? []) module.name = `@mp/${module.name.split('/')[0]}`
  await app.generateOutputs(project)
  if (app.logger.hasErrors()) throw new Error('TypeDoc could not write the API reference')
  return readdirSync(`${site}/api`, { recursive: true }).filter((path) => path.endsWith('.md'))
    .length
}
