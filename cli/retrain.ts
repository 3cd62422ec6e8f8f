import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { Command } from "commander";
import { ConfigurationError } from "../models/core/errors.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type RetrainFlags = {
  out: string;
  json: boolean;
  config: string;
  reason: string;
  again: boolean;
  known?: string;
  propose?: string;
  watchReport?: string;
  gate?: string;
  merge: boolean;
  waitMinutes: string;
  where: boolean;
};

export function retrainCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("retrain")
    .description("run a model's own training from its new data, and write the candidate; never from the gate's rows")
    .argument("[model]", "id of a model with `train` in its model.yaml; without one, these models are listed")
    .option("--config <file>", "the repository's configuration", "sluice.yaml")
    .option("--reason <text>", "why, for the report and the pull request", "")
    .option("--again", "train although nothing is new since the last training", false)
    .option(
      "--known <file>",
      "retrained.json of a candidate that waits elsewhere: nothing is trained for the same again",
    )
    .option(
      "--propose <dir>",
      "train nothing: open or update the model's pull request with what an earlier run left in this folder (GITHUB_TOKEN)",
    )
    .option("--watch-report <file>", "with --propose: report.md of the watch, for the pull request")
    .option(
      "--gate <file>",
      "with --propose: start this workflow on the branch, where the pull request starts none itself; with --merge: its verdict decides",
    )
    .option(
      "--merge",
      "train nothing: merge the model's pull request if sluice.yaml says `retrain: {merge: pass}` and its gate is PASS",
      false,
    )
    .option("--wait-minutes <n>", "with --merge: how long the gate is waited for", "120")
    .option("--where", "only print the model's folder", false)
    .option("--out <dir>", "folder for candidate/, retrain.json, report.md and train.log", ".sluice/retrain")
    .option("--json", "one JSON document on stdout; progress stays on stderr", false)
    .addHelpText("after", `\nExample:\n  ${sluiceCommand()} retrain MODEL --reason 'drift of the answers'`);
  return command.action(async (model: string | undefined, flags: RetrainFlags) => {
    const { retrain, trainedModels } = await import("../watch/retrain/retrain.ts");
    const place = { root: process.cwd(), configFile: flags.config };
    if (model === undefined) {
      const ids = (await trainedModels(place, streams.env)).map(({ loaded }) => loaded.manifest.id);
      await write(streams.stdout, flags.json ? `${JSON.stringify(ids)}\n` : ids.map((id) => `${id}\n`).join(""));
      finish(0);
      return;
    }
    if (flags.where) {
      const { trainedModel } = await import("../watch/retrain/retrain.ts");
      const { loaded } = await trainedModel({ ...place, model }, streams.env);
      await write(streams.stdout, `${relative(process.cwd(), loaded.dir) || "."}\n`);
      finish(0);
      return;
    }
    if (flags.merge) {
      const { mergeFromCheckout } = await import("../watch/retrain/propose-run.ts");
      const waitMinutes = Number(flags.waitMinutes);
      if (!(waitMinutes >= 0 && waitMinutes <= 350))
        throw new ConfigurationError({
          code: "flag",
          place: "--wait-minutes",
          problem: "not a number of minutes",
          expected: "a number from 0 to 350",
          received: flags.waitMinutes,
          example: "--wait-minutes 120",
        });
      const outcome = await mergeFromCheckout(
        { ...place, model, gate: flags.gate ?? "gate.yml", waitMinutes },
        { env: streams.env, fetch, onNote: (text) => void streams.stderr.write(`${text}\n`) },
      );
      await write(streams.stdout, flags.json ? `${JSON.stringify(outcome)}\n` : `${outcome.words}\n`);
      finish(0);
      return;
    }
    if (flags.propose !== undefined) {
      const { proposeFromFolder } = await import("../watch/retrain/propose-run.ts");
      const outcome = await proposeFromFolder(
        {
          ...place,
          model,
          folder: resolve(flags.propose),
          reason: flags.reason,
          gate: flags.gate ?? null,
          watchReport: flags.watchReport === undefined ? null : resolve(flags.watchReport),
        },
        { env: streams.env, fetch, onNote: (text) => void streams.stderr.write(`${text}\n`) },
      );
      await write(streams.stdout, flags.json ? `${JSON.stringify(outcome)}\n` : `${outcome.words}\n`);
      finish(0);
      return;
    }
    const [{ headline, quoted, trainingMarkdown }, { parseRecord }] = await Promise.all([
      import("../watch/retrain/report.ts"),
      import("../watch/retrain/retrained-file.ts"),
    ]);
    const known = flags.known === undefined ? null : parseRecord(await readFile(flags.known, "utf8"), flags.known);
    const out = resolve(flags.out);
    const outcome = await retrain(
      { ...place, model, again: flags.again, known, out },
      { env: streams.env, fetch, onNote: (text) => void streams.stderr.write(`${text}\n`) },
    );
    await mkdir(out, { recursive: true });
    await writeFile(join(out, "retrain.json"), `${JSON.stringify(outcome, null, 2)}\n`);
    const why = flags.reason === "" ? "" : `Why: ${quoted(flags.reason, 500)}\n\n`;
    await writeFile(join(out, "report.md"), `## ${headline(outcome)}\n\n${why}${trainingMarkdown(outcome)}\n`);
    await write(streams.stdout, flags.json ? `${JSON.stringify(outcome, null, 2)}\n` : `${headline(outcome)}\n`);
    finish(0);
  });
}
