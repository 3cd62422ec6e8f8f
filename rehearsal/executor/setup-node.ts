import { join } from "node:path";
import { refuse, type ActionCall, type PlayedAction } from "./played-action.ts";

async function run(call: ActionCall): Promise<void> {
  refuse(call, setupNode, [
    "node-version-file",
    "registry-url",
    "scope",
    "mirror",
    "mirror-token",
    "cache",
    "check-latest",
  ]);
  const wanted = call.inputs["node-version"] ?? "";
  const major = process.versions.node.split(".")[0] as string;
  if (!["", major, `${major}.x`, `v${major}`, process.versions.node].includes(wanted))
    throw new Error(`the rehearsal has Node ${process.versions.node} alone, node-version asks for ${wanted}`);
  call.addPath(join(call.runner.nodeDirectory));
  call.output("node-version", `v${process.versions.node}`);
  call.output("cache-hit", "false");
  call.log(`node: v${process.versions.node}`);
}

/** actions/setup-node: provides the Node that runs the rehearsal, which also runs the actions. */
export const setupNode: PlayedAction = {
  inputs: {
    "always-auth": "false",
    "node-version": "",
    "node-version-file": "",
    architecture: "",
    "check-latest": "false",
    "registry-url": "",
    scope: "",
    token: "",
    cache: "",
    "package-manager-cache": "true",
    "cache-dependency-path": "",
    mirror: "",
    "mirror-token": "",
  },
  run,
};
