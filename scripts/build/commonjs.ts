// CommonJS packages inside an ES module still call require for Node's own modules, and some read __filename.

/** The first lines of every file that esbuild writes. */
export const banner = {
  js: `import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;`,
};

/** Replacements for names that only CommonJS defines. */
export const define = { __filename: "__sluiceFilename" };
