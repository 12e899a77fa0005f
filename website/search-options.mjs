/**
 * How the search ranks what it finds. VitePress copies the source of the function into the page, so it uses nothing from here.
 */
export const searchOptions = {
  fuzzy: 0.2,
  prefix: true,
  boost: { title: 4, text: 2, titles: 1 },
  /** The guides answer more questions than the reference, which has a page for each name; decisions answer fewest. */
  boostDocument: (id) => {
    if (/^\/(guide|tutorial|from-)/.test(id)) return 3
    return /^\/(decisions|protocols)/.test(id) ? 0.5 : 1
  },
}
