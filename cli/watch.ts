import { resolve } from "node:path";
import { Command } from "commander";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import { ConfigurationError } from "../models/core/errors.ts";
import type { Finish } from "./exit-code.ts";
import { commonFlags, type CommonFlags } from "./flags.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type WatchFlags = CommonFlags & { config: string; url: string[]; stage: string; state?: string; labels?: string };

export function watchCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("watch")
    .description(
      "what a live model sees and answers, against the data it was gated on; the same verdicts and exit codes",
    )
    .argument("[model...]", "ids of models; all that the server has unless named")
    .option(
      "--url <server>",
      "NS/NAME of a Space or an http(s) URL; again for each replica (default: the models' Spaces in sluice.yaml)",
      (one: string, before: string[]) => [...before, one],
      [],
    )
    .option("--stage <name>", "without --url: the stage whose Spaces are watched", "production")
    .option(
      "--config <file>",
      "the repository's configuration, with what is judged by; defaults without one",
      "sluice.yaml",
    )
    .option(
      "--state <file>",
      "keep the counts of every server here, so that they outlive its restarts and add up from run to run",
    )
    .option(
      "--labels <file>",
      "first send true labels to the servers: rows with predictionId and label (and head), of one model; CSV, JSON Lines, JSON or Parquet",
    )
    .addHelpText(
      "after",
      `
SLUICE_API_KEY is sent as Authorization: Bearer KEY.

Example:
  ${sluiceCommand()} watch births --url octo/births --state watch-state.json`,
    );
  return commonFlags(command, ".sluice/watch").action(async (models: string[], flags: WatchFlags) => {
    const [{ authorization, originOf }, { runWatch }, { watchTargets }, { renderWatchTerminal }] = await Promise.all([
      import("../predict/target.ts"),
      import("../watch/watch.ts"),
      import("../watch/targets.ts"),
      import("../watch/report/terminal.ts"),
    ]);
    const deps = {
      fetch,
      now: () => new Date(),
      headersOf: (origin: string) => authorization(streams.env, origin),
      onNote: (text: string) => void streams.stderr.write(`${text}\n`),
    };
    const targets = await watchTargets(
      { configFile: flags.config, models, urls: flags.url, stage: flags.stage },
      originOf,
      deps,
    );
    if (flags.labels !== undefined) {
      const [only, ...others] = targets;
      if (only === undefined || others.length > 0)
        throw new ConfigurationError({
          code: "watch-labels",
          place: "--labels",
          problem: "a file of labels belongs to one model",
          expected: "one model's id",
          received: targets.map(({ model }) => model).join(", "),
          example: `npx sluice watch ${only?.model ?? "births"} --labels labels.csv`,
        });
      const { sendLabels } = await import("../watch/live/send-labels.ts");
      const sent = await sendLabels(flags.labels, only.model, only.origins, deps);
      const words = Object.entries(sent).map(([result, count]) => `${count} ${result}`);
      deps.onNote(`labels of ${only.model}: ${words.length === 0 ? "none" : words.join(", ")}`);
    }
    const { verdict, files } = await runWatch(
      { targets, out: resolve(flags.out), state: flags.state === undefined ? null : resolve(flags.state) },
      deps,
    );
    if (flags.json) await write(streams.stdout, `${JSON.stringify(verdict, null, 2)}\n`);
    else {
      await write(streams.stdout, `${renderWatchTerminal(verdict)}\n`);
      await write(streams.stderr, `Report: ${files.html}\n`);
    }
    finish(exitCodeOf(verdict.verdict));
  });
}
