import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { sluice } from "./sluice.ts";

const examples = join(import.meta.dirname, "../../examples");
const names = readdirSync(examples, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
let dir = "";
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it("there are four", () => {
  expect(names).toEqual(["forecasting", "pictures", "table", "text"]);
});

describe.each(names)("%s", (name) => {
  it("is gated as it is, alone, and its checks are reachable", async () => {
    dir = mkdtempSync(join(tmpdir(), "sluice-example-"));
    cpSync(join(examples, name), dir, { recursive: true });
    const gate = await sluice(dir, ["gate", "--baseline", "none", "--json"]);
    expect(gate.code, gate.stderr).toBe(0);
    expect(JSON.parse(gate.stdout)).toMatchObject({ verdict: "PASS" });
    const plan = await sluice(dir, ["plan", "--baseline", "none"]);
    expect(plan.code, plan.stderr).toBe(0);
    expect(readFileSync(join(dir, ".github/workflows/gate.yml"), "utf8")).toMatch(/uses: OWNER\/REPO\/.*@v\d/);
  }, 120_000);
});
