declare module "cli-table3/src/utils.js" {
  const utils: { strlen: (text: string) => number };
  export default utils;
}
