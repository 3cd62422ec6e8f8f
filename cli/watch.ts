import { resolve } from "node:path";
import { Command } from "commander";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import type { Finish } from "./exit-code.ts";
import { commonFlags, type CommonFlags } from "./flags.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type WatchFlags = CommonFlags & { config: string; url: string[]; stage: string; state?: string };

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
