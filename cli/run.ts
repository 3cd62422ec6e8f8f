import { Command, CommanderError } from "commander";
import { ConfigurationError, SluiceError } from "../models/core/errors.ts";
import type { ExitCode, Finish } from "./exit-code.ts";
import { botCommand } from "./bot.ts";
import { compareCommand } from "./compare.ts";
import { doctorCommand } from "./doctor.ts";
import { deployCommand } from "./deploy.ts";
import { exportCommand } from "./export.ts";
import { featuresCommand } from "./features.ts";
import { gateCommand } from "./gate.ts";
import { initCommand } from "./init.ts";
import { historyCommand } from "./history.ts";
import { lockCommand, unlockCommand } from "./lock.ts";
import { measureCommand } from "./measure.ts";
import { opsCommand } from "./ops.ts";
import { notifyCommand } from "./notify.ts";
import { retrainCommand } from "./retrain.ts";
import { rollbackCommand } from "./rollback.ts";
import { rolloutCommand } from "./rollout.ts";
import { planCommand } from "./plan.ts";
import { calibrateCommand } from "./calibrate.ts";
import { predictCommand } from "./predict.ts";
import { serveCommand } from "./serve.ts";
import { watchCommand } from "./watch.ts";
import { startOf } from "./started.ts";
import type { Streams } from "./streams.ts";
import { sluiceCommand, startedBy } from "../models/core/invocation.ts";
import { sluiceVersion } from "../models/core/version.ts";

const exitCodes = `
Exit codes: 0 PASS · 1 FAIL · 2 wrong usage or configuration · 3 INCONCLUSIVE or INCOMPARABLE · 4 ERROR · 5 the verdict stands but could not be reported`;

/**
 * Parses the arguments, runs one command and returns its exit code. Never throws; prints a stack only with
 * SLUICE_DEBUG=1.
 */
export async function run(args: readonly string[], streams: Streams): Promise<ExitCode> {
  startedBy(startOf(import.meta.url, process.cwd()));
  let code: ExitCode = 0;
  const finish: Finish = (value) => {
    code = value;
  };
  const program = new Command("sluice")
    .description("Judge machine-learning models before they are merged, with statistics a reviewer can redo by hand.")
    .version(sluiceVersion, "-v, --version")
    .showHelpAfterError(`(${sluiceCommand()} COMMAND --help shows every flag)`)
    .showSuggestionAfterError(true)
    .addHelpText("after", exitCodes)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => streams.stderr.write(text),
    });
  for (const command of [
    initCommand,
    gateCommand,
    compareCommand,
    measureCommand,
    planCommand,
    calibrateCommand,
    serveCommand,
    predictCommand,
    watchCommand,
    exportCommand,
    opsCommand,
    retrainCommand,
    featuresCommand,
    deployCommand,
    rollbackCommand,
    rolloutCommand,
    historyCommand,
    lockCommand,
    unlockCommand,
    notifyCommand,
    botCommand,
    doctorCommand,
  ]) {
    program.addCommand(command(streams, finish).copyInheritedSettings(program));
  }
  try {
    if (args.length === 0) {
      streams.stderr.write(program.helpInformation());
      return 2;
    }
    await program.parseAsync([...args], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof SluiceError) {
      streams.stderr.write(`sluice: ${error.message}\n`);
      return error instanceof ConfigurationError ? 2 : 4;
    }
    const failure = error as Error;
    streams.stderr.write(
      `sluice: ${failure.message}\n${streams.env["SLUICE_DEBUG"] === "1" ? `${failure.stack}\n` : "  hint: SLUICE_DEBUG=1 shows where\n"}`,
    );
    return 4;
  }
}
