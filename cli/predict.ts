import { setTimeout as sleep } from "node:timers/promises";
import { Command, InvalidArgumentError } from "commander";
import type { Finish } from "./exit-code.ts";
import { Progress, write, type Streams } from "./streams.ts";
import { integer } from "./flag-values.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type PredictFlags = {
  input: string;
  url: string;
  output: string;
  id: string;
  config: string;
  concurrency: number;
  batchRows: number;
  timeoutMs: number;
  retries: number;
  giveUpAfter: number;
  json: boolean;
};

export function predictCommand(streams: Streams, finish: Finish): Command {
  return new Command("predict")
    .description(
      "ask a model's server for every row of a file or table: one row of output per row of input, errors included",
    )
    .argument("<model>", "the model's id at the server; with --url local also its folder")
    .requiredOption(
      "--input <rows>",
      "CSV, JSON, JSON Lines or Parquet; sqlite:FILE?table=T, postgres://…?table=T, or env:NAME?table=T; query=SELECT … instead of table=T",
    )
    .requiredOption(
      "--url <server>",
      "NS/NAME of a Space, an http(s) URL, or local: this repository's model, served for the time of the run",
    )
    .requiredOption(
      "--output <answers>",
      ".csv or .jsonl, or a table as for --input. The same command with the same output goes on where a run ended",
    )
    .option(
      "--id <column>",
      "the input's column of ids, a key where a database is involved; rows of a file without one are called by their number",
      "id",
    )
    .option("--concurrency <n>", "requests at a time", positive, 4)
    .option("--batch-rows <n>", "most rows of one request; the server's own limit may be less", positive, 256)
    .option("--timeout-ms <n>", "longest that one request may take", positive, 30_000)
    .option("--retries <n>", "how often a row is asked for again", integer, 8)
    .option("--give-up-after <n>", "failures for good in a row that end the run", positive, 5)
    .option("--config <file>", "with --url local: the repository's configuration", "sluice.yaml")
    .option("--json", "a summary as one JSON document on stdout; progress stays on stderr", false)
    .addHelpText(
      "after",
      `
SLUICE_API_KEY is sent as Authorization: Bearer KEY. With --url local, SLUICE_* variables are the server's settings.
Exit codes: 0 every row has an answer, or is refused for its own input · 2 wrong usage · 4 rows failed, none could be used, or the run ended early

Example:
  ${sluiceCommand()} predict births --input rows.csv --url local --output answers.csv
  ${sluiceCommand()} predict births --input 'env:DATABASE_URL?table=rows' --url octo/births --output 'env:DATABASE_URL?table=answers'`,
    )
    .action(async (model: string, flags: PredictFlags) => finish(await predict(model, flags, streams)));
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || value < 1 || value > 2 ** 31 - 1)
    throw new InvalidArgumentError("expected a whole number of at least 1, e.g. 4.");
  return value;
}

async function predict(model: string, flags: PredictFlags, streams: Streams): Promise<0 | 4> {
  const [{ authorization, targetOf }, { openEndpoints }, { readCard }, { predictRows, tally }] = await Promise.all([
    import("../predict/target.ts"),
    import("../predict/endpoints/endpoints.ts"),
    import("../predict/card.ts"),
    import("../predict/run.ts"),
  ]);
  const target = targetOf(flags.url);
  const headers =
    target.kind === "remote"
      ? authorization(streams.env, target.origin)
      : authorization(streams.env, "http://localhost");

  const progress = new Progress(streams.stderr);
  const policy = { attempts: flags.retries + 1, baseMs: 250, maxMs: 30_000, maxWaitMs: 120_000 };
  const deps = {
    fetch,
    random: Math.random,
    nowMs: () => performance.now(),
    note: (text: string) => progress.note(text),
  };
  const { source, outputName, openSink } = await openEndpoints(flags, policy, {
    ...deps,
    sleep: (ms) => sleep(ms),
    env: streams.env,
    now: () => new Date(),
  });
  let local: { origin: string; close: () => Promise<void> } | null = null;
  try {
    if (target.kind === "local") {
      progress.stage(`starting a server of ${model}`);
      local = await (
        await import("../predict/local-server.ts")
      ).serveLocally(model, { config: flags.config, timeoutMs: flags.timeoutMs, env: streams.env });
    }
    const origin = target.kind === "remote" ? target.origin : local!.origin;
    const connection = { origin, headers, timeoutMs: flags.timeoutMs };
    const card = await readCard(connection, target.kind === "remote" ? model : null, policy, {
      ...deps,
      sleep: (ms) => sleep(ms),
      signal: new AbortController().signal,
    });
    const output = await openSink(card);
    try {
      progress.stage(
        `${card.id} v${card.version} at ${flags.url}: ${source.rows} rows${output.rows === 0 ? "" : `, ${output.rows} of them answered earlier`}`,
      );
      let reported = Math.floor((output.rows / source.rows) * 10);
      const done = (rows: number) => {
        progress.step("rows", rows, source.rows);
        const tenths = Math.floor((rows / source.rows) * 10);
        if (streams.stderr.isTTY || tenths <= reported) return;
        reported = tenths;
        progress.note(`${rows} of ${source.rows} rows`);
      };
      const { counts, earlier, requests, retries, seconds } = await predictRows(
        {
          source,
          connection,
          card,
          output,
          policy,
          concurrency: flags.concurrency,
          maxRows: flags.batchRows,
          giveUpAfter: flags.giveUpAfter,
        },
        {
          ...deps,
          sleep: async (ms, signal) => {
            await sleep(ms, undefined, { signal });
          },
          done,
        },
      );
      progress.close();
      const asked = tally(counts) - output.rows;
      const summary = {
        schemaVersion: 1,
        model: card.id,
        version: card.version,
        input: source.name,
        output: outputName,
        rows: source.rows,
        ...counts,
        earlier,
        requests,
        retries,
        seconds: Math.round(seconds * 1000) / 1000,
        rowsPerSecond: seconds > 0 ? Math.round(asked / seconds) : 0,
      };
      if (flags.json) await write(streams.stdout, `${JSON.stringify(summary, null, 2)}\n`);
      else
        await write(
          streams.stdout,
          `${outputName}: ${summary.rows} rows, ${output.rows < earlier ? `${earlier} of them answered earlier, ` : ""}${counts.predicted} predicted, ${counts.refused} refused, ${counts.failed} failed; ${asked} in ${seconds.toFixed(2)} s with ${requests} requests, ${retries} of them repeated\n`,
        );
      return counts.failed > 0 || (counts.predicted === 0 && earlier === 0) ? 4 : 0;
    } finally {
      await output.close();
    }
  } finally {
    progress.close();
    await source.close();
    await local?.close();
  }
}
