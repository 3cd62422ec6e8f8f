import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { readConfiguration } from "../eval/gate/configuration-file.ts";
import type { Configuration } from "../eval/schema/configuration.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import { watchPolicy } from "../models/core/manifest/watch.ts";
import { isRemote, loadModelFile, type LoadedManifest } from "../models/core/predictor/load.ts";
import { readModels, type ReadDeps } from "./live/read.ts";
import type { WatchTarget } from "./watch.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export type TargetRequest = {
  /** Path of sluice.yaml. Without the file, models are judged by the defaults. */
  configFile: string;
  /** Ids; none: all that the servers have, or that sluice.yaml has a Space for. */
  models: readonly string[];
  /** NS/NAME or URLs of the servers, one per replica; none: the Space of each model at `stage`. */
  urls: readonly string[];
  stage: string;
};

/**
 * Which models are watched, where, and by what.
 *
 * @param originOf the http(s) origin of NS/NAME or of a URL. @throws ConfigurationError
 * @throws ConfigurationError where a model has no server, or nothing is to be watched; EvaluationError as `readModels`
 */
export async function watchTargets(
  { configFile, models, urls, stage }: TargetRequest,
  originOf: (text: string) => string,
  deps: ReadDeps,
): Promise<WatchTarget[]> {
  const given = urls.map(originOf);
  const configuration = existsSync(configFile) ? await readConfiguration(configFile) : null;
  const known = configuration === null ? [] : await localModels(configuration, configFile);
  const ids = await chosen(models, given, configuration, stage, known, deps);
  return ids.map((model) => {
    const manifest = known.find((one) => one.manifest.id === model)?.manifest;
    const space = configuration?.spaces[model]?.[stage];
    if (given.length === 0 && space === undefined)
      throw new ConfigurationError({
        code: "watch-url",
        place: "--url",
        problem: `where is ${model} served?`,
        expected: `--url, or spaces: {${model}: {${stage}: NS/NAME}} in ${configFile}`,
        example: `${sluiceCommand()} watch ${model} --url octo/${model}`,
      });
    return {
      model,
      origins: given.length > 0 ? given : [originOf(space!)],
      gates: manifest?.gates ?? null,
      policy: watchPolicy(configuration?.watch, manifest?.watch),
      trains: manifest?.train !== undefined,
    };
  });
}

async function localModels(configuration: Configuration, configFile: string): Promise<LoadedManifest[]> {
  const found = await Promise.all(
    configuration.models.map(async (folder) => loadModelFile(resolve(dirname(configFile), folder))),
  );
  return found.filter((one): one is LoadedManifest => !isRemote(one));
}

async function chosen(
  named: readonly string[],
  origins: readonly string[],
  configuration: Configuration | null,
  stage: string,
  known: readonly LoadedManifest[],
  deps: ReadDeps,
): Promise<string[]> {
  if (named.length > 0) {
    for (const id of named)
      if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(id))
        throw new ConfigurationError({
          code: "watch-model",
          place: "MODEL",
          problem: "not a model's id",
          expected: "an id as in model.yaml",
          received: id.slice(0, 80),
          example: `${sluiceCommand()} watch births --url octo/births`,
        });
    return [...new Set(named)];
  }
  const served =
    origins.length > 0
      ? await readModels(origins[0]!, deps)
      : Object.keys(configuration?.spaces ?? {}).filter((id) => configuration!.spaces[id]![stage] !== undefined);
  const ids = known.length === 0 ? served : served.filter((id) => known.some((one) => one.manifest.id === id));
  if (ids.length > 0) return ids;
  throw new ConfigurationError({
    code: "watch-model",
    place: "MODEL",
    problem: "nothing to watch",
    expected: `a model that a server has${origins.length === 0 ? ", and --url with the server" : ""}`,
    received: served.length === 0 ? "none" : `the server has ${served.join(", ")}, and sluice.yaml none of them`,
    example: `${sluiceCommand()} watch births --url octo/births`,
  });
}
