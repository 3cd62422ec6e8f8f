import { resolve } from "node:path";
import { Argument, Command } from "commander";
import { ConfigurationError } from "../models/core/errors.ts";
import type { Finish } from "./exit-code.ts";
import { write, type Streams } from "./streams.ts";
import { sluiceCommand } from "../models/core/invocation.ts";

type ExportFlags = { config: string; out: string; match: string; json: boolean };

const targets = ["prometheus", "grafana"] as const;
type Target = (typeof targets)[number];

export function exportCommand(streams: Streams, finish: Finish): Command {
  return new Command("export")
    .description("what other programs need to watch the models: alerting rules with unit tests, a dashboard")
    .addArgument(new Argument("<target>", "what for").choices(targets))
    .argument("[model...]", "ids of models; all of the configuration unless named")
    .option("--config <file>", "the repository's configuration, with the objectives", "sluice.yaml")
    .option("--out <dir>", "folder for the files", ".sluice/export")
    .option("--match <labels>", `labels that every series must have, e.g. 'job="models"'`, "")
    .option("--json", "one JSON document on stdout: the files", false)
    .addHelpText(
      "after",
      `
prometheus writes sluice.rules.yaml and sluice.rules.test.yaml, for promtool check rules and promtool test rules;
grafana writes sluice.dashboard.json.

Example:
  ${sluiceCommand()} export prometheus births --out monitoring`,
    )
    .action(async (target: Target, named: string[], flags: ExportFlags) => {
      const [{ configuredModels }, { exportPrometheus, exportGrafana }, { exportedModels }] = await Promise.all([
        import("../watch/configured-models.ts"),
        import("../watch/export/export.ts"),
        import("../watch/export/prometheus.ts"),
      ]);
      if (target === "grafana" && named.length > 0)
        throw new ConfigurationError({
          code: "export-models",
          place: "MODEL",
          problem: "the dashboard is of all models: its variable `model` chooses",
          expected: "no model",
          received: named.join(", "),
          example: `${sluiceCommand()} export grafana --out monitoring`,
        });
      const out = resolve(flags.out);
      const files =
        target === "grafana"
          ? await exportGrafana(out, flags.match)
          : await (async () => {
              const { configuration, models } = await configuredModels(resolve(flags.config), named);
              const ids = models.map(({ id }) => id);
              return exportPrometheus(exportedModels(ids, configuration.slo), out, flags.match);
            })();
      await write(
        streams.stdout,
        flags.json
          ? `${JSON.stringify({ schemaVersion: 1, kind: "export", target, files }, null, 2)}\n`
          : `${files.join("\n")}\n`,
      );
      finish(0);
    });
}
