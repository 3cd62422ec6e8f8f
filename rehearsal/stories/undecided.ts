import assert from "node:assert/strict";
import { fareModel, type FareModel } from "../scene/fares.ts";
import type { Scene } from "../scene/scene.ts";
import { quality, quoteChecks } from "../scene/team.ts";
import type { Story } from "./story.ts";

/** Opens a pull request with a new version of a model. @returns the gate's verdict from every place that shows it */
async function judged(
  scene: Scene,
  model: FareModel,
): Promise<{ conclusion: string | null | undefined; comment: string; summary: string; logs: string; card: string }> {
  const title = `${model.id} ${model.version}`;
  const pull = await scene.propose({ branch: title.replace(" ", "-"), title, files: fareModel(model), by: "lena" });
  const [run] = scene.runsOf("gate.yml", pull.sha);
  if (run === undefined) throw new Error("the gate did not start");
  const { body } = await scene.verdictComment(pull.number);
  await assert.rejects(scene.merge(pull.number, "lena"), /Required status check/);
  return {
    conclusion: run.conclusion,
    comment: body,
    summary: run.jobs.map(({ summary }) => summary).join("\n"),
    logs: scene.logs(run),
    card: scene.card(title),
  };
}

export const slice: Story = {
  number: 3,
  title: "Rides from the airport get worse while the mean improves",
  async play(scene, log) {
    const { conclusion, comment, card, logs } = await judged(scene, {
      id: "fares",
      version: "3.0.0",
      wrong: { airport: 0.05, centre: 0 },
      checks: quality,
    });
    assert.equal(conclusion, "failure", logs);
    assert.match(comment, /FAIL[^\n]*from=airport/, "the slice is named");
    assert.match(comment, /PASS \| <code>mae<\/code>[^|]*\| all \|/, "the mean passes");
    assert.match(comment, /shown to have regressed/);
    assert.match(card, /from=airport/);
    log(card.split("\n").find((line) => line.includes("from=airport")) ?? "");
  },
};

export const slower: Story = {
  number: 4,
  alone: true,
  title: "The same answers, more slowly",
  async play(scene, log) {
    const { conclusion, comment, logs } = await judged(scene, {
      id: "quotes",
      version: "4.0.0",
      layers: 12,
      checks: quoteChecks,
    });
    assert.equal(conclusion, "failure", logs);
    assert.match(comment, /FAIL[^\n]*latency_p50_ms/);
    assert.match(comment, /A\/A/, "the baseline against itself stands beside it");
    const [, words = ""] = /Each model against a second process of itself \(A\/A\): ([^\n<]*)/.exec(logs) ?? [];
    log(`A/A: ${words}`);
  },
};

export const tooFew: Story = {
  number: 5,
  title: "Too few rows to decide",
  async play(scene, log) {
    const { conclusion, comment, card, logs } = await judged(scene, {
      id: "tips",
      version: "5.0.0",
      wrong: { airport: 0.03, centre: 0.04 },
      checks: quality,
    });
    assert.equal(conclusion, "failure", logs);
    assert.match(comment, /INCONCLUSIVE/);
    assert.match(comment, /8 rows, and 30 are needed/);
    assert.match(card, /INCONCLUSIVE/);
    log(/too few rows to decide: [^|<\n]*/.exec(comment)?.[0] ?? "");
  },
};
