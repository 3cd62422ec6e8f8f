import { Command } from "commander";
import type { Finish } from "./exit-code.ts";
import { connectRecords, requireModel } from "./lock.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export function historyCommand(streams: Streams, finish: Finish): Command {
  return new Command("history")
    .description("versions of a model, where each is live, who deployed it, and with which verdict")
    .argument("<model>", "id of a model")
    .option("--json", "one JSON document on stdout", false)
    .addHelpText("after", `\nReads GitHub with GITHUB_TOKEN.\n\nExample:\n  ${sluiceCommand()} history births`)
    .action(async (model: string, flags: { json: boolean }) => {
      const { historyOf, describeHistory } = await import("../deploy/history.ts");
      const { github } = await connectRecords(streams);
      const history = await historyOf(github, model);
      if (history.versions.length + history.deployments.length === 0) await requireModel(model);
      await write(
        streams.stdout,
        flags.json ? `${JSON.stringify({ schemaVersion: 1, ...history }, null, 2)}\n` : `${describeHistory(history)}\n`,
      );
      finish(0);
    });
}
