import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { ProcessDeps } from "../../eval/latency/model-process.ts";

const built = new URL("../../actions/gate/dist/latency-worker.js", import.meta.url);

/**
 * The bundle's worker with the installed ONNX Runtime. It is what the action starts, and it is ready sooner than
 * sources.
 */
export function builtWorker(env: NodeJS.ProcessEnv): ProcessDeps & { env: NodeJS.ProcessEnv } {
  const packageFolder = createRequire(import.meta.url).resolve("onnxruntime-node/package.json");
  const binding = join(packageFolder, `../bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`);
  if (!existsSync(built) || !existsSync(binding))
    throw new Error(`${existsSync(built) ? binding : built.pathname} is missing: npm ci, npm run build`);
  return { worker: built, env: { ...env, SLUICE_ORT_BINDING: binding } };
}
