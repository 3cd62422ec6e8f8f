import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { isRemote, loadModelFile, type LoadedRemote } from "../../models/core/predictor/load.ts";
import { readConfiguration } from "../gate/configuration-file.ts";
import { resolveReference } from "../gate/baseline.ts";
import type { GateDeps, GateRequest } from "../gate/context.ts";
import { gitIn } from "../gate/git.ts";
import { forbidBackendSwitch } from "../gate/forbid-backend-switch.ts";
import { adviceMarkdown } from "../report/advice.ts";
import type { AdviceFile } from "../schema/advice.ts";
import { sluiceVersion } from "../../models/core/version.ts";
import { adviseModel, type OpenRemote } from "./advise.ts";

/** The models of a run in two kinds: those that are judged, and remote ones, which are only asked for advice. */
export type Split = { judged: boolean; models: string[]; remote: LoadedRemote[] };

/** @throws ConfigurationError as `readConfiguration` and `forbidBackendSwitch` do, and for an invalid manifest */
export async function splitModels(
  request: Pick<GateRequest, "root" | "configFile" | "models" | "baseline">,
  env: NodeJS.ProcessEnv,
): Promise<Split> {
  const root = resolve(request.root);
  const config = await readConfiguration(resolve(root, request.configFile));
  const all = await Promise.all(config.models.map((folder) => loadModelFile(join(root, folder))));
  const wanted = (loaded: (typeof all)[number]) =>
    request.models.length === 0 ||
    request.models.some((name) => name === loaded.manifest.id || name === basename(loaded.dir));
  const remote = all.filter(isRemote).filter(wanted);
  const models = request.models.filter(
    (name) => !remote.some((loaded) => name === loaded.manifest.id || name === basename(loaded.dir)),
  );
  const judged = models.length > 0 || (request.models.length === 0 && all.length > remote.length);
  // A gate checks this itself. Without a model to judge no gate runs, so it is checked here.
  if (!judged) {
    const git = gitIn(root, env);
    await forbidBackendSwitch(remote, await resolveReference(request.baseline, git), root, git);
  }
  return { judged, models, remote };
}

/**
 * Asks the remote models. Writes OUT/advice.json, their answers to OUT/predictions/MODEL/advice.jsonl, and a section of
 * OUT/report.md, after the verdict's sections if there are any.
 *
 * @param judged whether a verdict was written to the same folder just before
 */
export async function adviseRun(
  remote: readonly LoadedRemote[],
  judged: boolean,
  out: string,
  open: OpenRemote,
  deps: Pick<GateDeps, "now" | "onEvent">,
): Promise<AdviceFile> {
  const advised = [];
  for (const loaded of remote) advised.push(await adviseModel(loaded, open, deps.onEvent));
  const file: AdviceFile = {
    schemaVersion: 1,
    sluiceVersion,
    createdAt: deps.now().toISOString(),
    models: advised.map(({ advice }) => advice),
  };
  await mkdir(out, { recursive: true });
  await writeFile(join(out, "advice.json"), `${JSON.stringify(file, null, 2)}\n`);
  for (const { advice, answers } of advised) {
    if (answers.length === 0) continue;
    await mkdir(join(out, "predictions", advice.model.id), { recursive: true });
    await writeFile(
      join(out, "predictions", advice.model.id, "advice.jsonl"),
      answers.map(({ prompt, answer }) => `${JSON.stringify({ ...prompt, answer })}\n`).join(""),
    );
  }
  await (judged ? appendFile : writeFile)(join(out, "report.md"), adviceMarkdown(file));
  return file;
}
