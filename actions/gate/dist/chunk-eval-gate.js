import { createRequire as __sluiceCreateRequire } from "node:module";
const require = __sluiceCreateRequire(import.meta.url);
import{predictShard,prepare,readConfiguration,runGate}from"./chunk-eval-metrics.js";import"./chunk-eval-gate-outputs.js";import"./chunk-eval-report.js";import"./chunk-models-core.js";import"./chunk-models-core-2.js";import"./chunk-eval-report-2.js";import"./chunk-tar-2.js";import"./chunk-define-SLUICE_NATIVE_PINS.js";export{predictShard,prepare,readConfiguration,runGate};
