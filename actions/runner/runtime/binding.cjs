// Stands in for the one native `require` of onnxruntime-node in the bundle: the file was located, and its
// bytes checked, before any module that imports the runtime is loaded (see locate.ts). An environment
// variable carries the path because the processes that measure cold start inherit it.
"use strict";
const path = process.env.SLUICE_ORT_BINDING;
if (path === undefined || path === "") {
  throw new Error("The native ONNX Runtime was not located before it was needed (SLUICE_ORT_BINDING is not set).");
}
module.exports = process.getBuiltinModule("node:module").createRequire(path)(path);
