// Replaces the only native `require` of onnxruntime-node in the bundle. The file is located, and its bytes checked,
// before any module that imports the runtime is loaded (see locate.ts). The path is passed in an environment variable
// because the processes that measure cold start inherit it.
"use strict";
const path = process.env.SLUICE_ORT_BINDING;
if (path === undefined || path === "") {
  throw new Error("The native ONNX Runtime was not located before it was needed (SLUICE_ORT_BINDING is not set).");
}
module.exports = process.getBuiltinModule("node:module").createRequire(path)(path);
