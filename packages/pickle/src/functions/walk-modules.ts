/**
 * The part of the walk that deals with what a module imports and exports.
 *
 * @module
 */
import type { AnyNode, ImportDeclaration } from 'acorn'
import { declare } from './scopes.js'
import type { WalkState } from './walk-state.js'

export function visitImport(walk: WalkState, node: ImportDeclaration): void {
  const type = node.attributes?.find(({ key }) => nameOf(key) === 'type')?.value.value
  const kind = type === undefined ? 'import' : `import:${String(type)}`
  const specifier = String(node.source.value)
  for (const item of node.specifiers) {
    const path =
      item.type === 'ImportSpecifier'
        ? [nameOf(item.imported)]
        : item.type === 'ImportDefaultSpecifier'
          ? ['default']
          : []
    const binding = declare(walk.top, item.local.name, 'import', item.local.start)
    binding.source = { specifier, kind, path }
  }
}

type ExportNode = Extract<AnyNode, { type: 'ExportNamedDeclaration' | 'ExportDefaultDeclaration' }>

export function visitExport(walk: WalkState, node: ExportNode): void {
  if (node.type === 'ExportDefaultDeclaration') {
    const { declaration } = node
    const declared =
      declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration'
    if (declared && declaration.id) walk.exports.set('default', declaration.id.name)
    return walk.visit(declaration, node)
  }
  if (node.source) return
  for (const { exported, local } of node.specifiers) {
    walk.exports.set(nameOf(exported), nameOf(local))
    if (local.type === 'Identifier') walk.reference(local, node, false)
  }
  if (!node.declaration) return
  const before = new Set(walk.top.bindings.keys())
  walk.visit(node.declaration, node)
  for (const name of walk.top.bindings.keys()) if (!before.has(name)) walk.exports.set(name, name)
}

function nameOf(node: AnyNode): string {
  return node.type === 'Identifier' ? node.name : String((node as { value?: unknown }).value)
}
