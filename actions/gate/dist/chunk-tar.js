import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
import{$e,Ct,F,Hi,Oo,Qi,Qn,So,Xt,de,ft,kt,ni,oi,pi,rt,vt,wt,xe}from"./chunk-tar-2.js";import"./chunk-define-SLUICE_NATIVE_PINS.js";export{F as Header,wt as Pack,pi as PackJob,kt as PackSync,rt as Parser,ft as Pax,$e as ReadEntry,Xt as Unpack,xe as UnpackSync,de as WriteEntry,ni as WriteEntrySync,oi as WriteEntryTar,Qn as c,Qn as create,So as extract,Qi as filesFilter,Ct as list,vt as r,vt as replace,Ct as t,Hi as types,Oo as u,Oo as update,So as x};
