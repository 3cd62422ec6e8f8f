import { join } from "node:path";
import { expect, it } from "vitest";
import { makeTree, readSpaceFiles } from "../../deploy/bundle/make.ts";
import { readTree, writeTree } from "../../deploy/bundle/tree.ts";
import type { PassedVerdict } from "../../deploy/bundle/verdict.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { openPredictor } from "../../models/core/predictor/predictor.ts";
import { offline, refusal, temporaryFolder } from "../models/core/build.ts";
import { cardFolder, cardManifest } from "../models/core/lookup/models.ts";
import { day, noon, tableOf, type Event } from "../models/core/lookup/tables.ts";
import { json, root, serve } from "../spaces/server/harness.ts";

const columns = ["spend", "visits"];
const events: Event[] = Array.from({ length: 20 }, (_, c) =>
  [0, 1].map((d) => ({ key: `card-${c}`, at: noon + d * day, values: [c + d / 8, d] })),
).flat();
const table = tableOf(columns, events);
const examples = [3, 7, 99].map((c, i) => ({ card_id: `card-${c}`, at: noon + i * day, amount: i }));
const manifest = cardManifest(table, { missing: { fill: 0 } }, { serving: { examples } });
const source = { repository: "octo/models", commit: "0".repeat(40) } as never;
// Only the digest of the verdict is written into a tree without metrics.
const verdict = { sha256: "1".repeat(64), metrics: null, profile: null } as PassedVerdict;
const deps = { ...offline, space: async () => [template] };
const template = {
  name: "README.template.md",
  bytes: (await readSpaceFiles(join(root, "spaces"))).find(({ name }) => name === "README.template.md")!.bytes,
};

it("the tree of a model with a feature table holds the table, and what is served from it answers the same", async () => {
  const loaded = cardFolder(manifest, table);
  const tree = await makeTree(loaded, verdict, source, deps);
  const file = tree.files.find(({ path }) => path === "models/linear/card.features");
  expect(Buffer.from(file!.bytes).equals(table)).toBe(true);
  // 10 visits and 100 amount; card 99 is not in the table.
  expect(tree.golden.rows.map(({ heads }) => heads)).toEqual(
    [3.5, 7.125 + 10 + 100.5, 200.5].map((value) => ({ value: { kind: "regression", value } })),
  );

  const dir = temporaryFolder();
  await writeTree(dir, tree);
  expect((await readTree(dir)).deployed.files["models/linear/card.features"]).toBe(file!.sha256);
  const deployed = join(dir, "models/linear");
  const predictor = await openPredictor(await loadManifest(deployed), {}, offline);
  const answers = await predictor.predict(examples);
  await predictor.close();
  expect(answers.map((answer) => (answer.ok ? answer.heads : null))).toEqual(
    tree.golden.rows.map(({ heads }) => heads),
  );
  const server = await serve([deployed]);
  for (const { row, heads } of tree.golden.rows)
    expect((await json(await server.post("/predict", row)))["heads"]).toEqual(heads);
  await server.kill();
});

it("a table other than the manifest names is not deployed", async () => {
  const loaded = cardFolder(manifest, tableOf(columns, events.slice(2)));
  const refused = await refusal(() => makeTree(loaded, verdict, source, deps));
  expect(refused.message).toMatch(/card\.features/);
  expect(refused.message).toMatch(/sha256/);
});
