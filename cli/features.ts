import { basename, dirname, resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import { redisAddress } from "../models/core/feature-store/redis-address.ts";
import { instantMs, instantWords } from "../models/core/lookup/instant.ts";
import type { MemoryStore } from "../models/core/lookup/read-table.ts";
import type { Finish } from "./exit-code.ts";
import { list, oneOf } from "./flag-values.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type BuildFlags = {
  key: string[];
  time?: string;
  created?: string;
  columns?: string[];
  repeats: "refuse" | "keep";
  latest?: boolean;
  asOf?: number;
  out: string;
  json?: boolean;
};

type JoinFlags = { history: [string, string][]; keep?: string[]; out: string; json?: boolean };

/** `sluice features build | join | push | check`: tables for the lookup steps of models. */
export function featuresCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("features").description("features by key, for the lookup steps of models");
  command
    .command("build")
    .description("makes a feature table of CSV, JSON Lines, JSON or Parquet files")
    .argument("<files...>", "the data")
    .requiredOption("--key <columns>", "columns that make the key", list)
    .option("--time <column>", "the time of an event; without it every key has one event and no time")
    .option("--created <column>", "when the event was written down: of two at one time the later one holds")
    .option("--columns <columns>", "the features; default: every further column", list)
    .addOption(
      oneOf(new Option("--repeats <what>", "two events of one key at one time"), ["refuse", "keep"]).default("refuse"),
    )
    .option("--latest", "only the newest event of every key, for a store that is served from")
    .option("--as-of <time>", "only events up to this time", instant)
    .requiredOption("--out <file>", "the table")
    .option("--json", "one JSON document on stdout")
    .addHelpText(
      "after",
      `\nExample:\n  ${sluiceCommand()} features build cards.csv --key card --time at --out models/fraud/data/card.features`,
    )
    .action(async (files: string[], flags: BuildFlags) => {
      const { buildFeatures } = await import("../eval/features/build.ts");
      const built = await buildFeatures({
        inputs: files,
        key: flags.key,
        time: flags.time ?? null,
        created: flags.created ?? null,
        columns: flags.columns ?? null,
        repeats: flags.repeats,
        latest: flags.latest === true,
        asOfMs: flags.asOf ?? null,
        out: flags.out,
      });
      await write(
        streams.stdout,
        flags.json === true
          ? `${JSON.stringify(built, null, 2)}\n`
          : `${flags.out}: ${built.keys} keys, ${built.events} events of ${built.columns.length} features, ${built.bytes} bytes\nsha256: ${built.sha256}\n`,
      );
      finish(0);
    });
  command
    .command("join")
    .description("adds to rows of the past the features of their own time, as the model's lookup steps find them")
    .argument("<model>", "folder of model.yaml")
    .argument("<files...>", "the rows: CSV, JSON Lines, JSON or Parquet")
    .requiredOption(
      "--history <step=file>",
      "a lookup step and its feature table; again for each step",
      stepAndFile,
      [],
    )
    .option("--keep <columns>", "columns of the rows that are written too; default: all", list)
    .requiredOption("--out <file>", "CSV file, with one column STEP.FEATURE each")
    .option("--json", "one JSON document on stdout")
    .addHelpText(
      "after",
      `\nExample:\n  ${sluiceCommand()} features join models/fraud payments.csv --history card=card.features --out training.csv`,
    )
    .action(async (model: string, files: string[], flags: JoinFlags) => {
      const { loadManifest } = await import("../models/core/predictor/load.ts");
      const { joinFeatures } = await import("../eval/features/join.ts");
      const loaded = await loadManifest(resolve(model));
      const joined = await joinFeatures(loaded, {
        inputs: files,
        histories: await tablesAt(flags.history),
        keep: flags.keep ?? null,
        out: flags.out,
      });
      await write(
        streams.stdout,
        flags.json === true
          ? `${JSON.stringify(joined, null, 2)}\n`
          : `${flags.out}: ${joined.rows} rows of ${joined.columns.length} columns\n${Object.entries(joined.missing)
              .map(([step, rows]) => `${step}: a feature is missing in ${rows} rows\n`)
              .join("")}`,
      );
      finish(0);
    });
  command
    .command("push")
    .description("writes a feature table into Redis, for a lookup step with `store.redis`")
    .argument("<table>", "the table, as `features build` makes it")
    .option("--env <name>", "environment variable with the address", "SLUICE_FEATURES_REDIS_URL")
    .option("--prefix <text>", "before every key", "")
    .action(async (table: string, flags: { env: string; prefix: string }) => {
      const url = redisAddress(flags.env, streams.env);
      const { pushFeatures } = await import("../eval/features/push.ts");
      const keys = await pushFeatures(await tableAt(table), { url, prefix: flags.prefix });
      await write(streams.stdout, `${keys} keys written\n`);
      finish(0);
    });
  command
    .command("check")
    .description("computes again what a server's look-ups served, from the history, and compares bit by bit")
    .argument("<model>", "folder of model.yaml")
    .requiredOption("--log <file>", "the record that the server kept (SLUICE_LOOKUP_LOG)")
    .requiredOption(
      "--history <step=file>",
      "a lookup step and its history up to now; again for each step",
      stepAndFile,
      [],
    )
    .option("--json", "one JSON document on stdout")
    .addHelpText("after", "\nSLUICE_LOOKUP_SECRET must be the server's.")
    .action(async (model: string, flags: { log: string; history: [string, string][]; json?: boolean }) => {
      const { loadManifest } = await import("../models/core/predictor/load.ts");
      const { checkServed } = await import("../eval/features/check.ts");
      const { renderServedCheck } = await import("../eval/report/served-check.ts");
      const loaded = await loadManifest(resolve(model));
      const histories = await tablesAt(flags.history);
      const secret = streams.env["SLUICE_LOOKUP_SECRET"] ?? "";
      const checked = await checkServed(loaded, flags.log, histories, secret);
      await write(
        streams.stdout,
        flags.json === true ? `${JSON.stringify(checked, null, 2)}\n` : renderServedCheck(checked),
      );
      finish(exitCodeOf(checked.verdict));
    });
  return command;
}

async function tableAt(file: string): Promise<MemoryStore> {
  const { openTable } = await import("../models/core/feature-store/file.ts");
  const path = resolve(file);
  return openTable({ dir: dirname(path), path: basename(path), sha256: null }, null);
}

async function tablesAt(files: readonly [step: string, file: string][]): Promise<Record<string, MemoryStore>> {
  const tables: Record<string, MemoryStore> = {};
  for (const [step, file] of files) tables[step] = await tableAt(file);
  return tables;
}

function stepAndFile(text: string, before: [string, string][]): [string, string][] {
  const at = text.indexOf("=");
  if (at < 1 || at === text.length - 1)
    throw new InvalidArgumentError("expected STEP=FILE, e.g. card=data/card.features.");
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

function instant(text: string): number {
  const ms = instantMs(text);
  if (ms === null) throw new InvalidArgumentError(`expected ${instantWords}.`);
  return ms;
}
