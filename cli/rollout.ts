import { resolve, join } from "node:path";
import { InvalidArgumentError, Command } from "commander";
import { exitCodeOf } from "../eval/judge/algebra.ts";
import { placeFlags, compose, type PlaceFlags } from "./deploy.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";

type RolloutFlags = Omit<PlaceFlags, "dryRun"> & {
  promote: boolean;
  override: boolean;
  abort: boolean;
  by?: string;
  every?: number;
};

export function rolloutCommand(streams: Streams, finish: Finish): Command {
  const command = new Command("rollout")
    .description("look at the roll-out of a candidate beside the live version, and do its next step")
    .argument("<model>", "id or folder of a model in sluice.yaml")
    .option("--promote", "say yes to the step that waits for a person", false)
    .option("--override", "go on although the evidence does not say so; needs --reason", false)
    .option("--abort", "end the roll-out; the live version answers everything", false)
    .option("--by <name>", "who asks for it (default: GITHUB_ACTOR, or the user of this machine)")
    .option("--every <seconds>", "go on looking until it ends, so often", seconds)
    .addHelpText(
      "after",
      "\nSigns in with HF_TOKEN, records with GITHUB_TOKEN, and is let in by the Space with SLUICE_ROLLOUT_KEY.\n\nExample:\n  npx sluice deploy births --rollout && npx sluice rollout births",
    );
  return placeFlags(command, { dryRun: false }).action(async (model: string, given: RolloutFlags) => {
    const { ConfigurationError } = await import("../models/core/errors.ts");
    const secret = streams.env["SLUICE_ROLLOUT_KEY"] ?? "";
    if (secret === "")
      throw new ConfigurationError({
        code: "rollout-key",
        place: "SLUICE_ROLLOUT_KEY",
        problem: "there is no secret that the Space would let a controller in with",
        expected: "the secret that `sluice deploy --rollout` was given",
      });
    const wishes = (["promote", "override", "abort"] as const).filter((one) => given[one]);
    const [does] = wishes;
    if (wishes.length > 1)
      throw new ConfigurationError({
        code: "rollout-wish",
        place: wishes.map((one) => `--${one}`).join(" and "),
        problem: "exclude each other",
        expected: "one of them",
      });
    if ((does === "abort" || does === "override") && given.reason === "")
      throw new ConfigurationError({
        code: "rollout-reason",
        place: `--${does}`,
        problem: "what goes against the evidence, or before it, needs a reason",
        expected: "--reason",
        example: `--${does} --reason "complaints about the new answers"`,
      });
    const [{ rolloutContext }, { lookAtRollout }, { notesInFile, notesOnGitHub }, { renderLook }, { actorOf }] =
      await Promise.all([
        import("../deploy/session.ts"),
        import("../deploy/rollout/look.ts"),
        import("../deploy/record/rollout-notes.ts"),
        import("../deploy/rollout/render.ts"),
        import("../github/runner.ts"),
      ]);
    const { request, deps } = await compose(model, { ...given, dryRun: false }, streams);
    deps.mask(secret);
    const { context } = await rolloutContext(request, deps);
    const { github, commit, environment, logUrl } = context;
    const notes =
      github === null || commit === null
        ? notesInFile(join(resolve(given.out), `rollout-${environment}.json`))
        : notesOnGitHub(github, environment, commit, logUrl);
    const by = given.by ?? actorOf(streams.env);
    let wish = does === undefined ? null : { does, by, reason: given.reason };
    for (;;) {
      const look = await lookAtRollout(context, notes, secret, wish);
      wish = null;
      for (const problem of look.notRecorded) streams.stderr.write(`sluice: not recorded: ${problem}\n`);
      const isOver = look.note.ended !== null || given.every === undefined;
      if (!given.json) await write(streams.stdout, `${renderLook(look)}\n`);
      else if (isOver) await write(streams.stdout, `${JSON.stringify(look, null, 2)}\n`);
      if (isOver) return finish(look.verdict === "PASS" && look.notRecorded.length > 0 ? 5 : exitCodeOf(look.verdict));
      await deps.sleep(given.every! * 1000, deps.signal);
    }
  });
}

function seconds(text: string): number {
  const value = Number(text);
  if (!(value >= 1 && value <= 86_400)) throw new InvalidArgumentError("expected seconds, 1 to 86400.");
  return value;
}
