import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fareModel, rides, type FareModel } from "../../scene/fares.ts";
import { folder, root, type Files } from "../../scene/repository.ts";
import { product, type SceneOptions } from "../../scene/scene.ts";
import { firstVersion, improved, type System } from "../../scene/systems.ts";
import { workflows } from "../../scene/team.ts";

/** Loss of live births, by true labels, that its model.yaml takes; beyond it there is an alert. */
export const margin = 0.1;
/** The births model as this repository has it: trained on 1994 to 2001, gated on 2002 and 2003. */
const births: System = {
  id: "births",
  data: () => ({
    ...folder("models/births/data", "models/births/data", (name) => /\.(jsonl|csv)$/.test(name)),
    ...folder("models/births/train", "models/births/train", (name) => name === "retrain.mjs"),
  }),
  // Latency is another story's subject, and is measured on a quiet machine only. Thirty holidays cannot decide about
  // weights that were learnt anew.
  adapt: (manifest) =>
    manifest
      .replace(/^.*metric: latency_p50_ms.*\n/m, "")
      .replace(/^( +)alpha: .*\n/m, "$&$1minimumPerClass: 50\n$1onInsufficient: warn\n")
      .replace(/^train:/m, `watch: {labels: {margin: {relative: ${margin}}}}\ntrain:`),
  worse: { from: /$/, to: "" },
  companions: [],
  serves: () => Promise.resolve(""),
};

const fareChecks: FareModel["checks"] = [{ kind: "non-inferiority", metric: "mae", margin: { relative: 0.05 } }];
const fares = (version: string, centre: number) =>
  fareModel({ id: "fares", version, wrong: { centre }, checks: fareChecks });

export const live = { births: "acme/births", fares: "acme/fares" } as const;
export type Watched = keyof typeof live;

/** True labels of a ride come so many days later. */
export const labelDays = 5;

const retrainWorkflow = (sha: string) => `name: retrain
run-name: Retrain \${{ inputs.model }} \${{ inputs.request }}
on:
  workflow_dispatch:
    inputs:
      model: { type: string, required: true }
      reason: { type: string, default: "" }
      request: { type: string, default: "" }
permissions: {}
jobs:
  retrain:
    permissions: { contents: write, pull-requests: write, actions: write }
    uses: ${product}/.github/workflows/retrain.yml@${sha}
    with: { model: "\${{ inputs.model }}", reason: "\${{ inputs.reason }}", request: "\${{ inputs.request }}" }
`;

const gate = ".github/workflows/gate.yml";

/** `npm ci` of Sluice is short in a rehearsal: scripts/sluice.mjs starts the command of this working tree. */
const commands: Files = {
  ".github/workflows/retrain.yml": readFileSync(join(root, ".github/workflows/retrain.yml"), "utf8"),
  "package.json": '{ "name": "sluice", "version": "1.0.0" }',
  "package-lock.json":
    '{ "name": "sluice", "version": "1.0.0", "lockfileVersion": 3, "packages": { "": { "version": "1.0.0" } } }',
  "scripts/sluice.mjs": `import { spawnSync } from "node:child_process";
const words = [${JSON.stringify(join(root, "cli.ts"))}, ...process.argv.slice(2)];
process.exit(spawnSync(${JSON.stringify(process.execPath)}, words, { stdio: "inherit" }).status ?? 4);
`,
};

/** A team with two live models that the bot watches: births, and fares of taxi rides. */
export const setting: SceneOptions = {
  models: ["births", "fares"],
  spaces: { births: { production: live.births }, fares: { production: live.fares } },
  product: commands,
  clocks: true,
  bot: {
    watch: {
      // Each day of the story is looked at once, however long it takes.
      intervalSeconds: 43_200,
      settings: { onInsufficient: "warn", labels: { horizonDays: labelDays, margin: { relative: 0.2 } } },
    },
  },
  files(sha) {
    const standard = workflows(sha);
    return {
      ...firstVersion(births),
      ...fares("1.0.0", 0.05),
      ...rides("fares", 3000),
      ".gitignore": ".sluice/\n.cache/\n",
      ...standard,
      // A pull request of a workflow's own token starts no gate: it is dispatched.
      [gate]: String(standard[gate]).replace("  merge_group:\n", "  merge_group:\n  workflow_dispatch:\n"),
      ".github/workflows/retrain.yml": retrainWorkflow(sha),
    };
  },
};

/** What goes live at the beginning. */
export const release = (): Files => ({ ...improved(births, "1.1.0"), ...fares("1.1.0", 0.02) });
