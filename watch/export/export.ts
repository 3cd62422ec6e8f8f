import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { writeFileAtomic } from "../../models/core/atomic-write.ts";
import { ConfigurationError } from "../../models/core/errors.ts";
import { grafanaDashboard } from "./grafana.ts";
import { prometheusRules } from "./prometheus.ts";
import { prometheusTests } from "./prometheus-tests.ts";
import type { ExportedModel } from "./selectors.ts";

const rulesFile = "sluice.rules.yaml";
const testsFile = "sluice.rules.test.yaml";
const dashboardFile = "sluice.dashboard.json";

const example = `--match 'job="models",stage="production"'`;

/** @throws ConfigurationError for anything but NAME="VALUE" with commas between */
function checkedMatch(match: string): string {
  if (match === "" || /^[a-zA-Z_]\w*="[^"\\{}\n]*"(,[a-zA-Z_]\w*="[^"\\{}\n]*")*$/.test(match)) return match;
  throw new ConfigurationError({
    code: "export-match",
    place: "--match",
    problem: "not label matchers",
    expected: 'NAME="VALUE", several with commas between',
    received: match.slice(0, 100),
    example,
  });
}

/** Rules and their unit tests, below `out`. @returns the paths @throws ConfigurationError for `match` */
export async function exportPrometheus(
  models: readonly ExportedModel[],
  out: string,
  match: string,
): Promise<string[]> {
  const rules = prometheusRules(models, checkedMatch(match));
  const made = `# Made by \`sluice export prometheus\` for ${models.map(({ model }) => model).join(", ")}. Make it again when sluice.yaml changes.\n`;
  const yaml = (value: object) => made + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
  return writeAll(out, {
    [rulesFile]: yaml(rules),
    [testsFile]: yaml(prometheusTests(rules, models, rulesFile, match)),
  });
}

/** A dashboard, below `out`. @returns its path @throws ConfigurationError for `match` */
export async function exportGrafana(out: string, match: string): Promise<string[]> {
  return writeAll(out, {
    [dashboardFile]: `${JSON.stringify(grafanaDashboard(checkedMatch(match)), null, 2)}\n`,
  });
}

async function writeAll(out: string, files: Readonly<Record<string, string>>): Promise<string[]> {
  await mkdir(out, { recursive: true });
  const paths: string[] = [];
  for (const [name, text] of Object.entries(files)) {
    const path = join(out, name);
    await writeFileAtomic(path, text);
    paths.push(path);
  }
  return paths;
}
