import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { Command, Option } from "commander";
import { z } from "zod";
import { ConfigurationError } from "../models/core/errors.ts";
import type { Finish } from "./exit-code.ts";
import type { Streams } from "./streams.ts";
import { settingsFromEnvironment, settingsSchema, variableOf } from "../spaces/server/settings/settings.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type ServeFlags = { config: string; models?: string } & Record<string, unknown>;

export function serveCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("serve")
    .description("serve models over HTTP: JSON, Open Inference Protocol v2, the page, metrics")
    .argument("[model...]", "ids or folders of models; default: all of sluice.yaml. The first is the default model")
    .option("--config <file>", "the repository's configuration", "sluice.yaml")
    .option("--models <dir>", "serve every model in this folder, without a sluice.yaml");
  for (const [name, schema] of Object.entries(settingsSchema.shape))
    command.addOption(flagOf(name, schema as z.ZodType));
  return command
    .addHelpText(
      "after",
      `\nEvery flag is also a variable: --max-rows is SLUICE_MAX_ROWS.\n\nExample:\n  ${sluiceCommand()} serve births mood --port 7860`,
    )
    .action(async (names: string[], flags: ServeFlags) => {
      const settings = readSettings(flags, streams.env);
      const dirs = await modelDirs(names, flags);
      const { serveUntilSignal } = await import("../spaces/server/run.ts");
      await serveUntilSignal(dirs, settings, { env: streams.env, fetch }, (server) =>
        streams.stderr.write(`Serving ${dirs.length} model${dirs.length === 1 ? "" : "s"} at ${server.address}\n`),
      );
      finish(0);
      // The signal listeners would keep the drained process alive.
      process.exit(0);
    });
}

/** One setting as a flag. Booleans that are on by default become --no-NAME. */
function flagOf(name: string, schema: z.ZodType): Option {
  const dashed = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const fallback = schema.safeParse(undefined).data;
  const text = `${schema.description ?? name}${fallback === undefined || fallback === "" || typeof fallback === "boolean" ? "" : ` (default: ${String(fallback)})`}`;
  const optional = schema.meta()?.["optionalValue"];
  if (typeof optional === "string") return new Option(`--${dashed} [${optional}]`, text);
  if (fallback === true) return new Option(`--no-${dashed}`, `do not: ${text}`);
  return new Option(
    fallback === false
      ? `--${dashed}`
      : `--${dashed} <${/Ms|Us|Seconds|Bytes|Rows|port|workers|rateLimit|maxBatch/.test(name) ? "n" : "value"}>`,
    text,
  );
}

/** @throws ConfigurationError naming the flag and the variable. */
function readSettings(flags: ServeFlags, env: Streams["env"]) {
  const given = Object.fromEntries(
    Object.entries(flags).filter(
      ([name, value]) => name in settingsSchema.shape && !(name === "watch" && value === true),
    ),
  );
  const result = settingsSchema.safeParse({ ...settingsFromEnvironment(env), ...given });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const name = String(issue!.path[0]);
  throw new ConfigurationError({
    code: "serve-settings",
    place: `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} (or ${variableOf(name)})`,
    problem: issue!.message,
    expected:
      settingsSchema.shape[name as keyof typeof settingsSchema.shape]?.description ?? "a setting of `sluice serve`",
    received: String({ ...settingsFromEnvironment(env), ...given }[name]).slice(0, 60),
  });
}

/**
 * The models' folders: the named ones, those of --models, or those of sluice.yaml. They are relative, so that no answer
 * of the server shows paths of this machine.
 */
async function modelDirs(names: readonly string[], flags: ServeFlags): Promise<string[]> {
  const listed = flags.models === undefined ? await configuredDirs(flags.config, names) : foldersOf(flags.models);
  if (names.length === 0) {
    if (listed.length === 0)
      throw new ConfigurationError({
        code: "serve-models",
        place: flags.models ?? flags.config,
        problem: "no model to serve",
        expected: "folders with a model.yaml",
      });
    return listed;
  }
  return names.map((name) => {
    if (existsSync(join(name, "model.yaml"))) return relative(process.cwd(), name) || ".";
    const found = listed.find((dir) => dir === name || dir.split("/").at(-1) === name || idOf(dir) === name);
    if (found === undefined)
      throw new ConfigurationError({
        code: "serve-models",
        problem: `no model ${name}`,
        expected:
          listed.length === 0
            ? "a folder with a model.yaml"
            : `one of ${listed.join(", ")}, or a folder with a model.yaml`,
        received: name,
      });
    return found;
  });
}

async function configuredDirs(file: string, names: readonly string[]): Promise<string[]> {
  if (!existsSync(file) && names.length > 0) return [];
  const { parseYaml } = await import("../models/core/manifest/config-file.ts");
  const { configuration } = await import("../eval/schema/configuration.ts");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "config-missing",
        place: file,
        problem: "there is no configuration here",
        expected: "a sluice.yaml, names of folders, or --models DIR",
        received: (error as NodeJS.ErrnoException).code ?? "an error",
      },
      { cause: error },
    );
  }
  return parseYaml(text, file, configuration).models.map(
    (dir) => relative(process.cwd(), join(dirname(file), dir)) || ".",
  );
}

function foldersOf(dir: string): string[] {
  if (existsSync(join(dir, "model.yaml"))) return [relative(process.cwd(), dir) || "."];
  const entries = existsSync(dir) ? readdirSync(dir, { withFileTypes: true }) : [];
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(dir, entry.name, "model.yaml")))
    .map((entry) => join(dir, entry.name))
    .toSorted();
}

function idOf(dir: string): string | null {
  try {
    return /^id:\s*["']?([\w.-]+)/m.exec(readFileSync(join(dir, "model.yaml"), "utf8"))?.[1] ?? null;
  } catch {
    return null;
  }
}
