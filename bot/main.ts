import { ConfigurationError } from "../models/core/errors.ts";
import { runBotUntilSignal } from "./run-until-signal.ts";

// The entry point of the image's bundle: node bot.js [bot.yaml]

runBotUntilSignal({
  config: process.argv[2] ?? "bot.yaml",
  env: process.env,
  write: (line) => {
    process.stdout.write(line);
  },
}).then(
  () => {
    process.exitCode = 0;
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof ConfigurationError ? 2 : 4;
  },
);
