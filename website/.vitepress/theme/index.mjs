/** VitePress's own theme, with tables that scroll on a phone instead of the page. */
import theme from 'vitepress/theme-without-fonts'
import './style.css'

export default theme
