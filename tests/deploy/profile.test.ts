import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { makeTree, readSpaceFiles } from "../../deploy/bundle/make.ts";
import { readVerdict, type PassedVerdict } from "../../deploy/bundle/verdict.ts";
import { productionReceiptFile } from "../../eval/schema/production-receipt.ts";
import { loadManifest } from "../../models/core/predictor/load.ts";
import { offline, refusal, sha256, temporaryFolder } from "../models/core/build.ts";
import { root } from "../spaces/server/harness.ts";
import { gatedModel } from "../watch/live-model.ts";

const source = { repository: "octo/models", commit: "0".repeat(40) } as never;
const template = {
  name: "README.template.md",
  bytes: (await readSpaceFiles(join(root, "spaces"))).find(({ name }) => name === "README.template.md")!.bytes,
};

let dir = "";
let out = "";
beforeAll(async () => {
  const { dir: model, gated } = await gatedModel();
  dir = model;
  out = join(gated.files.verdict, "..");
}, 60_000);

it("the profile that the gate wrote is deployed beside the model, and named by receipt and deployment", async () => {
  const verdict = await readVerdict(out, "risk");
  const tree = await makeTree(await loadManifest(dir), verdict as PassedVerdict, source, {
    ...offline,
    space: async () => [template],
  });
  const profile = readFileSync(join(out, "profiles/risk.json"));
  const digest = sha256(profile);
  expect(tree.files.find(({ path }) => path === "models/risk/profile.json")).toMatchObject({ sha256: digest });
  expect(tree.deployed.files["models/risk/profile.json"]).toBe(digest);
  const receipt = tree.files.find(({ path }) => path === "models/risk/receipt.json")!;
  expect(productionReceiptFile.parse(JSON.parse(Buffer.from(receipt.bytes).toString())).profile).toEqual({
    sha256: digest,
  });
});

it.each([
  ["a profile other than the verdict names is refused", "profiles/risk.json", /profile is not the one/],
  ["a verdict cannot name a file elsewhere", "verdict.json", null],
])("%s", async (_, file, words) => {
  const copy = temporaryFolder();
  cpSync(out, copy, { recursive: true });
  const text = readFileSync(join(copy, file), "utf8");
  if (words !== null) {
    writeFileSync(join(copy, file), `${text} `);
    expect((await refusal(() => readVerdict(copy, "risk"))).message).toMatch(words);
  } else {
    writeFileSync(join(copy, file), text.replace("profiles/risk.json", "../../../etc/hostname"));
    expect((await readVerdict(copy, "risk")).profile).toBeNull();
  }
});
