import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ConfigurationError } from "../../models/core/errors.ts";
import { parseYaml } from "../../models/core/manifest/config-file.ts";
import { configuration, type Configuration } from "../schema/configuration.ts";

/** @throws ConfigurationError with file, line and column when the file does not fit the schema */
export async function readConfiguration(file: string): Promise<Configuration> {
  if (!existsSync(file)) {
    throw new ConfigurationError({
      code: "configuration-missing",
      problem: "there is no such configuration file",
      place: file,
      expected: "a sluice.yaml that names the repository's models",
      received: "no file",
      example: "schemaVersion: 1\nmodels:\n  - models/mood",
    });
  }
  return parseYaml(await readFile(file, "utf8"), file, configuration, {
    models: "models: [models/mood]",
    schemaVersion: "schemaVersion: 1",
  });
}
