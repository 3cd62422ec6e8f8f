import type { GateDeps, GateRequest } from "../../../eval/gate/context.ts";
import { verdictFile, type ModelVerdict } from "../../../eval/schema/verdict.ts";
import { gate } from "./run.ts";

/** A gate of the repository in a folder. Whatever its verdict is, it fits the published schema. */
export async function gateOf(root: string, request: Partial<GateRequest> = {}, deps: Partial<GateDeps> = {}) {
  const outcome = await gate({ dir: root }, request, deps);
  verdictFile.parse(outcome.verdict);
  return outcome;
}

/** The verdict on one model; the first where none is named. */
export async function verdictOn(
  root: string,
  request: Partial<GateRequest> = {},
  id?: string,
  deps: Partial<GateDeps> = {},
): Promise<ModelVerdict> {
  const { models } = (await gateOf(root, request, deps)).verdict;
  const found = id === undefined ? models[0] : models.find(({ model }) => model.id === id);
  if (found === undefined) throw new Error(`no verdict on ${id}: ${models.map(({ model }) => model.id).join(", ")}`);
  return found;
}
