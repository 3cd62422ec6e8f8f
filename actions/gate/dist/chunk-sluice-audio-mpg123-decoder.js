import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{require_audio}from"./chunk-mediabunny.js";import{__toESM,init_define_SLUICE_NATIVE_PINS}from"./chunk-define-SLUICE_NATIVE_PINS.js";init_define_SLUICE_NATIVE_PINS();var import_audio=__toESM(require_audio()),{MPEGDecoder,MPEGDecoderWebWorker}=(0,import_audio.default)("mpg123-decoder");export{MPEGDecoder,MPEGDecoderWebWorker};
