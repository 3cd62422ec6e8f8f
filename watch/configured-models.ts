import { dirname, resolve } from "node:path";
import { readConfiguration } from "../eval/gate/configuration-file.ts";
import type { Configuration } from "../eval/schema/configuration.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import { isRemote, loadModelFile, type LoadedManifest } from "../models/core/predictor/load.ts";

/** A model of the repository. `manifest`: null for one that a provider answers for. */
export type ConfiguredModel = { id: string; manifest: LoadedManifest["manifest"] | null };

/**
 * The models of a configuration, in its order.
 *
 * @param named ids; none for all
 * @throws ConfigurationError where one of them, or one that `slo` or `ops` is about, is no model of the configuration
 */
export async function configuredModels(
  file: string,
  named: readonly string[],
): Promise<{ configuration: Configuration; models: ConfiguredModel[] }> {
  const configuration = await readConfiguration(file);
  const all = await Promise.all(
    configuration.models.map(async (folder): Promise<ConfiguredModel> => {
      const loaded = await loadModelFile(resolve(dirname(file), folder));
      return { id: loaded.manifest.id, manifest: isRemote(loaded) ? null : loaded.manifest };
    }),
  );
  const ids = all.map(({ id }) => id);
  const require = (place: string, asked: readonly string[]) => {
    const unknown = asked.find((id) => !ids.includes(id));
    if (unknown !== undefined)
      throw new ConfigurationError({
        code: "model-unknown",
        place,
        problem: `no model ${unknown}`,
        expected: ids.join(", "),
        received: unknown,
        example: ids[0]!,
      });
  };
  require(`${file} slo.models`, Object.keys(configuration.slo?.models ?? {}));
  require(`${file} ops.models`, Object.keys(configuration.ops?.models ?? {}));
  require("MODEL", named);
  return { configuration, models: named.length === 0 ? all : all.filter(({ id }) => named.includes(id)) };
}
