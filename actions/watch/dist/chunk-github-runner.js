import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{init_define_SLUICE_NATIVE_PINS}from"./chunk-define-SLUICE_NATIVE_PINS.js";init_define_SLUICE_NATIVE_PINS();function apiUrlOf(env){return env.GITHUB_API_URL||"https://api.github.com"}export{apiUrlOf};
