import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
const __sluiceFilename = import.meta.filename;
import{predictShard,prepare,readConfiguration,runGate}from"./chunk-eval-gate.js";import"./chunk-eval-gate-3.js";import"./chunk-eval-judge-judge.js";import"./chunk-eval-report-2.js";import"./chunk-models-core-2.js";import"./chunk-eval-metrics.js";import"./chunk-models-core.js";import"./chunk-tar-2.js";import"./chunk-define-SLUICE_NATIVE_PINS.js";export{predictShard,prepare,readConfiguration,runGate};
