import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{init_define_SLUICE_NATIVE_PINS}from"./chunk-define-SLUICE_NATIVE_PINS.js";init_define_SLUICE_NATIVE_PINS();var package_default={version:"0.1.0"};var sluiceVersion=package_default.version;export{sluiceVersion};
