import { Command } from "commander";
import { compose, placeFlags, report, type PlaceFlags } from "./deploy.ts";
import type { Finish } from "./exit-code.ts";
import type { Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export function rollbackCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("rollback")
    .description("put an earlier version back that was proved in this environment, and prove it again")
    .argument("<model>", "id or folder of a model in sluice.yaml")
    .option("--to <version>", "the version; default: the last proved one before what is there now")
    .addHelpText(
      "after",
      `\nNeeds GITHUB_TOKEN: GitHub's Deployments say what was proved.\n\nExample:\n  ${sluiceCommand()} rollback births --to 1.0.0 --reason 'wrong on leap days'`,
    );
  return placeFlags(command).action(async (model: string, flags: PlaceFlags & { to?: string }) => {
    const { runRollback } = await import("../deploy/session.ts");
    const { request, deps } = await compose(model, flags, streams);
    await report(() => runRollback({ ...request, version: flags.to ?? null }, deps), flags, streams, finish);
  });
}
