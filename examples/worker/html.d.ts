/** What a bundler makes of a page: its text. */
declare module "*.html" {
  const text: string
  export default text
}
