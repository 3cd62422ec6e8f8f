import { describe, expect, it } from "vitest";
import { configuration } from "../../../../eval/schema/configuration.ts";
import { parseYaml } from "../../../../models/core/manifest/config-file.ts";
import { controlKey, digestOf, rolloutId } from "../../../../models/core/rollout/plan.ts";
import { rolloutSettings, stepName, writtenSettings } from "../../../../models/core/rollout/settings.ts";

const read = (rollout: string) =>
  parseYaml(`schemaVersion: 1\nmodels: [models/mood]\nrollout:\n  mood: ${rollout}\n`, "sluice.yaml", configuration)
    .rollout["mood"]!;

describe("settings of a roll-out", () => {
  it("has a default for everything", () => {
    const { steps, metrics, alpha, cap, minimum } = read("{}");
    expect(steps.map(({ share }) => stepName(share))).toEqual(["shadow", "canary 1 %", "canary 10 %", "canary 50 %"]);
    expect(metrics).toEqual({ errors: { margin: 0.01 }, events: {} });
    expect({ alpha, cap, minimum }).toEqual({
      alpha: 0.05,
      cap: { days: 14, rows: 1_000_000 },
      minimum: { rows: 100, recent: 10, minutes: 60 },
    });
  });

  it("is the same again when it is written and read", () => {
    const settings = read(
      "{steps: [shadow, {at: 7 %, approve: true}, 33.5%], metrics: {latency: {withinMs: 9}, events: {click: {max: 3}}}}",
    );
    expect(rolloutSettings.parse(JSON.parse(JSON.stringify(writtenSettings(settings))))).toEqual(settings);
  });

  it.each([
    ["steps: [10 %, 1 %]", /steps\[1\].*shares that grow/s],
    ["steps: [1 %, shadow]", /shares that grow/],
    ["steps: [half]", /steps\[0\]/],
    ["steps: [0 %]", /steps\[0\]/],
    ["steps: []", /steps/],
    ["alpha: 0.6", /alpha/],
    ["metrics: {labels: {margin: 1}}", /margin/],
    ["metrics: {events: {Click: {}}}", /Click/],
    ["traffic: 10", /traffic/],
  ])("refuses %s with its place", (text, words) => {
    expect(() => read(`{${text}}`)).toThrow(words);
  });
});

it("a roll-out's key follows from the secret and the two builds, and its digest does not give it away", () => {
  const id = rolloutId("a", "b");
  expect(id).toMatch(/^[0-9a-f]{16}$/);
  expect(rolloutId("a", "c")).not.toBe(id);
  expect(controlKey("secret", id)).toMatch(/^[0-9a-f]{64}$/);
  expect(controlKey("secret", id)).not.toBe(controlKey("other", id));
  expect(digestOf(controlKey("secret", id))).not.toContain(controlKey("secret", id));
});
