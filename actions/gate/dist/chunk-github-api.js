import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{init_define_SLUICE_NATIVE_PINS}from"./chunk-define-SLUICE_NATIVE_PINS.js";init_define_SLUICE_NATIVE_PINS();var sentOnce={request:{retries:0}};function statusOf(error){if(!(error instanceof Error))return null;let{status,response,cause}=error;return typeof status=="number"&&response!==void 0?status:cause instanceof Error&&"status"in cause&&typeof cause.status=="number"?cause.status:null}export{sentOnce,statusOf};
