import { ConfigurationError } from "../models/core/errors.ts";
import { botUntilSignal } from "./main.ts";

// The bundle's entry, for the image: `node bot.cjs [bot.yaml]`.
botUntilSignal({
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
