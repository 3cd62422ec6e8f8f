import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import type { z } from "zod";
import type { rolloutSettings } from "../../models/core/rollout/settings.ts";
import { filesOf, filledIn } from "./snippets.ts";
import { fareModel, rides, type FareModel } from "./fares.ts";
import { root, type Files } from "./repository.ts";
import { product } from "./scene.ts";
import { firstVersion, forecasting, fraud, mood, recommendation, virality } from "./systems.ts";

/** Where each model is served. */
export const spaces = {
  mood: { staging: "acme/mood-staging", production: "acme/mood" },
  virality: { staging: "acme/virality-staging", production: "acme/virality" },
  recommendation: { staging: "acme/recommendation-staging", production: "acme/recommendation" },
  forecasting: { staging: "acme/forecasting-staging", production: "acme/forecasting" },
  fraud: { staging: "acme/fraud-staging", production: "acme/fraud" },
  fares: { staging: "acme/fares-staging", production: "acme/fares" },
} as const;
export const models = [
  "mood",
  "reply",
  "virality",
  "recommendation",
  "forecasting",
  "fraud",
  "fares",
  "quotes",
  "tips",
] as const;

const maeCheck = (relative: number, slices: readonly string[] = []) => ({
  kind: "non-inferiority" as const,
  metric: "mae" as const,
  margin: { relative },
  ...(slices.length === 0 ? {} : { slices: [...slices] }),
});
export const quality: FareModel["checks"] = [maeCheck(0.05), maeCheck(0.1, ["from"])];
export const quoteChecks: FareModel["checks"] = [
  ...quality,
  { kind: "non-inferiority", metric: "latency_p50_ms", margin: { relative: 0.2 } },
];

/** How fares is rolled out: few rows decide, because rides have little noise. */
const fareRollout: z.input<typeof rolloutSettings> = {
  steps: ["shadow", "20 %", "50 %"],
  key: { header: "x-user" },
  metrics: { errors: { margin: 0.1 }, labels: { margin: 0.1, within: 12 } },
  minimum: { rows: 20, recent: 5, minutes: 1 },
};

/** The files on the team's main branch at the beginning. */
export function teamFiles(sluice: string): Files {
  return {
    ...firstVersion(mood),
    ...firstVersion(virality),
    ...firstVersion(recommendation),
    ...firstVersion(forecasting),
    ...firstVersion(fraud),
    ...fareModel({ id: "fares", version: "1.0.0", wrong: { airport: 0.02, centre: 0.05 }, checks: quality }),
    ...rides("fares", 3000),
    ...fareModel({ id: "quotes", version: "1.0.0", layers: 6, checks: quoteChecks }),
    ...rides("quotes", 3000),
    ...fareModel({ id: "tips", version: "1.0.0", wrong: { centre: 0.05 }, checks: quality }),
    ...rides("tips", 40),
    ".gitignore": ".sluice/\n.cache/\n",
    "sluice.yaml": stringify({
      schemaVersion: 1,
      models: models.map((id) => `models/${id}`),
      spaces,
      rollout: { fares: fareRollout },
    }),
    ...workflows(sluice),
  };
}

/** The workflows that docs/adopt.md and docs/rollout.md tell their readers to copy. */
export function workflows(sha: string): Files {
  const files = ["docs/adopt.md", "docs/rollout.md"].flatMap((page) =>
    [...filesOf(readFileSync(join(root, page), "utf8"))].filter(([path]) => path.startsWith(".github/workflows/")),
  );
  return Object.fromEntries(files.map(([path, text]) => [path, filledIn(text, { sluice: product, sha })]));
}
