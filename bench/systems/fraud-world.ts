import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { ManifestInput } from "../../models/core/manifest/manifest.ts";
import { root } from "../serving/processes.ts";

const folder = join(root, ".cache/bench-fraud");
/** Customers and days of the simulated world that is served. */
export const size = { customers: 20_000, days: 75 };

export type FraudWorld = {
  folder: string;
  /** models/fraud, served from the tables of this world. */
  model: string;
  /** The same graph on two threads, under the id fraud-2. */
  twoThreads: string;
  /** The last payments of the world, as a client sends them. */
  rows: Record<string, string | number>[];
  tables: string;
};

/** Simulates a larger world than the repository's, once, and makes a model of models/fraud that is served from it. */
export function fraudWorld(rowCount: number): FraudWorld {
  mkdirSync(folder, { recursive: true });
  const payments = join(folder, "payments.csv");
  if (!existsSync(payments))
    run("/usr/bin/python3", [
      join(root, "models/fraud/train/train.py"),
      "--world",
      String(size.customers),
      String(size.days),
      folder,
    ]);
  const model = join(folder, "fraud");
  mkdirSync(model, { recursive: true });
  const own = join(root, "models/fraud");
  const manifest = parse(readFileSync(join(own, "model.yaml"), "utf8")) as ManifestInput;
  const sizes: string[] = [];
  for (const [step, column] of [
    ["card", "amount"],
    ["terminal", "fraud"],
  ] as const) {
    const table = join(model, `${step}.features`);
    if (!existsSync(table))
      sluice(
        "features",
        "build",
        payments,
        "--key",
        `${step}_id`,
        "--time",
        "at",
        "--columns",
        column,
        "--repeats",
        "keep",
        "--out",
        table,
      );
    const bytes = readFileSync(table);
    sizes.push(`${step} ${(bytes.length / 1e6).toFixed(0)} MB`);
    const lookup = manifest.preprocess[step];
    if (lookup?.kind !== "lookup") throw new Error(`models/fraud has no lookup step ${step}`);
    lookup.store = { path: `${step}.features`, sha256: createHash("sha256").update(bytes).digest("hex") };
  }
  copyFileSync(join(own, "model.onnx"), join(model, "model.onnx"));
  const { dataset: _, gates: __, ...served } = manifest;
  writeFileSync(join(model, "model.yaml"), stringify(served));
  const twoThreads = join(folder, "fraud-2");
  mkdirSync(twoThreads, { recursive: true });
  for (const file of ["model.onnx", "card.features", "terminal.features"]) {
    rmSync(join(twoThreads, file), { force: true });
    linkSync(join(model, file), join(twoThreads, file));
  }
  writeFileSync(
    join(twoThreads, "model.yaml"),
    stringify({ ...served, id: "fraud-2", runtime: { ...served.runtime, threads: 2 } }),
  );
  return { folder, model, twoThreads, rows: lastRows(payments, rowCount), tables: sizes.join(", ") };
}

function lastRows(file: string, count: number): FraudWorld["rows"] {
  const { stdout } = spawnSync("tail", ["-n", String(count), file], { encoding: "utf8", maxBuffer: 1e9 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [, at, , card, terminal, channel, amount, , km] = line.split(",") as string[];
      return {
        at: Number(at),
        card_id: card!,
        terminal_id: terminal!,
        channel: channel!,
        amount: Number(amount),
        distance_km: Number(km),
      };
    });
}

export function sluice(...args: string[]): string {
  return run(process.execPath, [join(root, "cli.ts"), ...args]);
}

export function run(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 1e9 });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
  return stdout;
}
