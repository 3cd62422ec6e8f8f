import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{init_define_SLUICE_NATIVE_PINS}from"./chunk-define-SLUICE_NATIVE_PINS.js";init_define_SLUICE_NATIVE_PINS();var sentOnce={request:{retries:0}};init_define_SLUICE_NATIVE_PINS();function parseRepository(name){let[owner,repo]=(name??"").split("/");return owner&&repo?{owner,repo}:null}function apiUrlOf(env){return env.GITHUB_API_URL||"https://api.github.com"}export{sentOnce,parseRepository,apiUrlOf};
