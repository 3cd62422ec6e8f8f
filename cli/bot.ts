import { Command } from "commander";
import type { Finish } from "./exit-code.ts";
import type { Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export function botCommand(streams: Streams, finish: Finish): Command {
  return new Command("bot")
    .description("run the Telegram bot: status, predictions, approvals and deployments from a chat")
    .option("--config <file>", "who may do what, where (docs/bot.md)", "bot.yaml")
    .addHelpText(
      "after",
      `\nSecrets come from the environment: TELEGRAM_BOT_TOKEN, GITHUB_TOKEN; optional TELEGRAM_WEBHOOK_SECRET, GITHUB_WEBHOOK_SECRET, SLUICE_BOT_KEY.\n\nExample:\n  ${sluiceCommand()} bot --config bot.yaml`,
    )
    .action(async ({ config }: { config: string }) => {
      // Node warns that node:sqlite is experimental and that telegraf parses URLs in a deprecated way. Neither warning
      // helps an operator.
      process.removeAllListeners("warning").on("warning", ({ name, message, code }: Error & { code?: string }) => {
        if (name !== "ExperimentalWarning" && code !== "DEP0169")
          streams.stderr.write(`${JSON.stringify({ level: "warn", event: "node-warning", name, message })}\n`);
      });
      const { runBotUntilSignal } = await import("../bot/run-until-signal.ts");
      await runBotUntilSignal({
        config,
        env: streams.env,
        write: (line) => {
          streams.stderr.write(line);
        },
      });
      finish(0);
    });
}
