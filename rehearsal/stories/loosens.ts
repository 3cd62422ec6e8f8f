import assert from "node:assert/strict";
import { Refusal } from "../github/world.ts";
import { fareModel } from "../scene/fares.ts";
import { artifactOf, readable, verdictOf } from "../scene/reports.ts";
import type { Story } from "./story.ts";

export const loosens: Story = {
  number: 6,
  title: "A pull request loosens its own thresholds; those of the base branch judge it, and both are shown",
  async play(scene, log) {
    const checks = [{ kind: "non-inferiority" as const, metric: "mae" as const, margin: { relative: 9 } }];
    const pull = await scene.propose({
      branch: "fares-1.6.0",
      title: "fares 1.6.0, and a wider margin",
      files: fareModel({ id: "fares", version: "1.6.0", wrong: { airport: 0.3, centre: 0.3 }, checks }),
      by: "lena",
    });
    const [gate] = scene.runsOf("gate.yml", pull.sha);
    assert.equal(gate?.conclusion, "failure", gate === undefined ? "the gate did not start" : scene.logs(gate));

    const [judged] = verdictOf(gate).models;
    assert.equal(judged?.verdict, "FAIL");
    assert.match(judged.policySource, /^model\.yaml at /, "judged by the base branch's thresholds");
    assert.deepEqual(
      judged.checks
        .filter(({ metric }) => metric === "mae")
        .map(({ margin }) => margin)
        .sort(),
      [0.05, 0.1, 0.1],
      "the margins of the base branch",
    );
    const margin = judged.policyChanges.find(({ path }) => path === "gates.checks[0].margin.relative");
    assert.deepEqual([margin?.base, margin?.candidate], [0.05, 9]);
    log(`judged by ${judged.policySource}: ${judged.reason}`);

    const sticky = (await scene.comments(pull.number)).filter(({ body }) => body.includes("fares 1.6.0"));
    assert.equal(sticky.length, 1);
    const report = artifactOf(gate, "sluice-gate-cpu-0").get("report.html")?.toString("utf8") ?? "";
    for (const [where, text] of Object.entries({
      comment: sticky[0]?.body ?? "",
      summary: gate.jobs.map(({ summary }) => summary).join("\n"),
    })) {
      assert.match(text, /This candidate changes the gate's settings/, where);
      assert.match(readable(text), /gates\.checks\[0\]\.margin\.relative \| 0\.05 → 9/, where);
    }
    assert.match(readable(report), /gates\.checks\[0\]\.margin\.relative<\/td><td>0\.05 → 9/);
    assert.match(scene.card("fares 1.6.0"), /FAIL/);

    await assert.rejects(scene.merge(pull.number, "omar"), (error) => error instanceof Refusal && error.status === 405);
    const { merged } = await scene.ask<{ merged: boolean }>(`pulls/${pull.number}`);
    assert.equal(merged, false);
    log("both are in the comment and in the report; the merge is refused");
  },
};
