import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{require_fastify}from"./chunk-fast-json-stringify.js";import"./chunk-toad-cache.js";import"./chunk-ipaddr-js.js";import"./chunk-shared-2.js";export default require_fastify();
