import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { removeOutputs, requireOwnFolder } from "../../../eval/gate/outputs.ts";

let work: string;
let checkout: string;
beforeEach(() => {
  work = realpathSync(mkdtempSync(join(tmpdir(), "sluice-outputs-")));
  checkout = join(work, "checkout");
  mkdirSync(join(checkout, "a"), { recursive: true });
});
afterEach(() => rmSync(work, { recursive: true }));

it.each([
  ["out", "..", "out"],
  ["out", ".", "out"],
  ["out", "nowhere", "out"],
  ["link", "a", "link/out"],
  ["link", "..", "link/checkout/a"],
])("refuses %s that leads to %s, for %s", async (link, target, out) => {
  symlinkSync(target, join(checkout, link));
  await expect(removeOutputs(checkout, join(checkout, out))).rejects.toThrow(
    `${join(checkout, link)}: a symbolic link`,
  );
});

it("takes a checkout behind a link, and a folder elsewhere", async () => {
  symlinkSync("checkout", join(work, "way"));
  const pairs = [
    [checkout, join(work, "way", "a", "out")],
    [join(work, "way"), join(checkout, "a")],
    [join(checkout, "a"), join(work, "way")],
  ] as const;
  for (const [top, out] of pairs) await expect(requireOwnFolder(top, out)).resolves.toBeUndefined();
});

it("removes its own files and links, follows none, and leaves the rest", async () => {
  const out = join(checkout, "out");
  mkdirSync(join(out, "predictions/m"), { recursive: true });
  const kept = ["a/x.candidate.csv", "a/model.yaml", "out/predictions/m/notes.csv", "out/notes.txt"];
  for (const path of kept) writeFileSync(join(checkout, path), "kept");
  const missing = ["verdict.json", "predictions/m/y.baseline.csv", "predictions/other"];
  symlinkSync("../a/model.yaml", join(out, "verdict.json"));
  writeFileSync(join(out, "predictions/m/y.baseline.csv"), "old");
  symlinkSync("../../a", join(out, "predictions/other"));
  await removeOutputs(checkout, out);
  expect(kept.map((path) => readFileSync(join(checkout, path), "utf8"))).toEqual(kept.map(() => "kept"));
  expect(missing.filter((path) => existsSync(join(out, path)))).toEqual([]);
});
