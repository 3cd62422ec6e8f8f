import { Command } from "commander";
import pc from "picocolors";
import type { Finding } from "./doctor/finding.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { terminalOptions } from "./terminal.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

export function doctorCommand(streams: Streams, finish: Finish): Command {
  return new Command("doctor")
    .description(
      "check what is set up here: Node, repository, models, tokens and what they may do; changes nothing, sends nothing",
    )
    .option("--config <file>", "the repository's configuration", "sluice.yaml")
    .option("--bot <file>", "the bot's configuration; looked at where there is one", "bot.yaml")
    .option("--json", "one JSON document on stdout", false)
    .addHelpText(
      "after",
      `\nExit codes: 0 nothing is broken · 2 something is · 4 the doctor itself failed.\n\nExample:\n  ${sluiceCommand()} doctor`,
    )
    .action(async ({ config, bot, json }: { config: string; bot: string; json: boolean }) => {
      const { examine } = await import("./doctor/examine.ts");
      const findings = await examine({ root: process.cwd(), config, bot, env: streams.env, fetch });
      const worst = findings.some(({ status }) => status === "broken")
        ? "broken"
        : findings.some(({ status }) => status === "warning")
          ? "warning"
          : "ok";
      const { color, plain } = terminalOptions(streams);
      await write(
        streams.stdout,
        json
          ? `${JSON.stringify({ schemaVersion: 1, status: worst, checks: findings }, null, 2)}\n`
          : `${lines(findings, { color, plain }).join("\n")}\n`,
      );
      finish(worst === "broken" ? 2 : 0);
    });
}

const marks = { ok: "✓", warning: "!", broken: "✗" } as const;

function lines(findings: readonly Finding[], { color, plain }: { color: boolean; plain: boolean }): string[] {
  const palette = pc.createColors(color);
  const colors = { ok: palette.green, warning: palette.yellow, broken: palette.red };
  const width = Math.max(...findings.map(({ name }) => name.length));
  const count = (status: Finding["status"]) => findings.filter((one) => one.status === status).length;
  return [
    ...findings.flatMap(({ name, status, says, fix }) => [
      `${colors[status](`${plain ? "" : `${marks[status]} `}${status.padEnd(7)}`)}  ${name.padEnd(width)}  ${says}`,
      ...(fix === null ? [] : [`${" ".repeat(width + (plain ? 11 : 13))}→ ${fix}`]),
    ]),
    `${count("ok")} ok, ${count("warning")} ${count("warning") === 1 ? "warning" : "warnings"}, ${count("broken")} broken`,
  ];
}
