import { describe, expect, it } from "vitest";
import { latencyRatio } from "../../../bot/card/deciding-checks.ts";
import { renderCard } from "../../../bot/card/render.ts";
import { isAudible, toneToRemember, toneOf, type CardState, type Phase, type Tone } from "../../../bot/card/state.ts";
import { parseHtml } from "../../../rehearsal/telegram/html.ts";
import { check, latencyCheck, modelVerdict } from "../../eval/report/builders.ts";
import { stories } from "../../eval/report/stories.ts";

const fail = stories.fail.models[0] as NonNullable<CardState["verdict"]>;
function card(change: Partial<CardState> = {}): CardState {
  return {
    model: { id: "mood", version: "1.1.0" },
    phase: "verdict",
    verdict: stories.pass.models[0] ?? null,
    environment: null,
    reason: null,
    restored: null,
    commit: "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432",
    actor: "ana",
    repository: "octo/models",
    pullRequest: 12,
    links: {
      run: "https://github.com/octo/models/actions/runs/42",
      report: null,
      space: null,
      pullRequest: "https://github.com/octo/models/pull/12",
      commit: "https://github.com/octo/models/commit/9f8e7d6",
    },
    ...change,
  };
}
const lines = (state: CardState) => parseHtml(renderCard(state).html).text.split("\n");

describe("one card through a candidate's life", () => {
  it.each<[Phase, Partial<CardState>, string, string]>([
    ["evaluating", { verdict: null }, "⏳ mood 1.1.0: evaluating", "gate … · build · start · proof · live"],
    ["verdict", {}, "✅ mood 1.1.0: PASS", "gate ✓ · build · start · proof · live"],
    ["verdict", { verdict: fail }, "❌ mood 1.1.0: FAIL", "gate ✗ · build · start · proof · live"],
    [
      "waiting",
      { environment: "production" },
      "🔔 mood 1.1.0: waiting for approval to deploy to production",
      "gate ✓ · approval … · build · start · proof · live",
    ],
    [
      "start",
      { environment: "production" },
      "🚚 mood 1.1.0: deploying to production",
      "gate ✓ · build ✓ · start … · proof · live",
    ],
    [
      "live",
      { environment: "production" },
      "🟢 mood 1.1.0: live in production",
      "gate ✓ · build ✓ · start ✓ · proof ✓ · live ✓",
    ],
  ])("%s %#", (phase, change, first, second) => {
    expect(lines(card({ phase, ...change })).slice(0, 2)).toEqual([first, second]);
  });

  it("shows why a version was rolled back, and what serves now", () => {
    const text = lines(
      card({ phase: "rolled-back", environment: "production", reason: "/readyz answered 503", restored: "1.0.0" }),
    );
    expect(text.slice(0, 3)).toEqual([
      "↩️ mood 1.1.0: rolled back in production",
      "/\u200breadyz answered 503",
      "mood 1.0.0 serves again.",
    ]);
    expect(lines(card({ phase: "rolled-back", reason: "x" }))).toContain("What serves now is not known.");
  });

  it("says only once what serves now, also if the receipt's reason ends with it", () => {
    const reason = "golden row 1 of 1: expected 2, received 1. Rolled back: mood 1.0.0 serves again, proved.";
    const again = (of: string) =>
      lines(card({ phase: "rolled-back", reason: of, restored: "1.0.0" }))
        .join("\n")
        .match(/1\.0\.0 serves again/g);
    expect(again(reason)).toHaveLength(1);
    expect(again(`${"x".repeat(400)} ${reason}`)).toHaveLength(1);
  });

  it("shows the check that decided with its figures, the latency ratio, and where it comes from", () => {
    expect(lines(card({ verdict: fail }))).toEqual([
      "❌ mood 1.1.0: FAIL",
      "gate ✗ · build · start · proof · live",
      "1 of 4 deciding checks is FAIL: auroc on source=imdb",
      "FAIL auroc, source=imdb",
      "  0.9021, baseline 0.9210",
      "  difference −0.0189 [−0.0271, −0.0107]",
      "  asks: loss < 0.005",
      "3 of 4 deciding checks PASS; 1 FAIL",
      "Latency: ×1.019 [×1.004, ×1.035] of the baseline",
      "Baseline: 1.0.0 (production at 1a2b3c4)",
      "octo/models · 9f8e7d6 · pull request 12 · by ana",
    ]);
  });

  it("has the same content as blocks and as plain text", () => {
    const { rich, plain, buttons } = renderCard(card({ verdict: fail }));
    const cells = (row: number) =>
      (rich?.blocks?.find((one) => one.type === "table")?.cells[row] ?? []).map((one) => one.text);
    expect([cells(1), cells(2)]).toEqual([
      [[{ type: "bold", text: "FAIL auroc, source=imdb" }, ": loss < 0.005"]],
      ["0.9021", "0.9210", "−0.0189 [−0.0271, −0.0107]"],
    ]);
    for (const part of ["0.9021", "0.9210", "−0.0189 [−0.0271, −0.0107]", "loss < 0.005", "×1.019", "9f8e7d6"]) {
      expect(JSON.stringify(rich)).toContain(part);
      expect(plain).toContain(part);
    }
    expect(buttons).toEqual([
      [
        { text: "Run", url: "https://github.com/octo/models/actions/runs/42" },
        { text: "Pull request", url: "https://github.com/octo/models/pull/12" },
      ],
    ]);
  });

  it("says that a first version has no baseline", () => {
    const text = renderCard(card({ verdict: stories.noBaseline.models[0] ?? null })).plain;
    expect(text).toContain("Baseline: none: no production/model.yaml at main: a first version");
    expect(text).toContain("no baseline");
  });

  it("leaves out links for which Telegram would refuse the whole card", () => {
    const links = {
      run: "http://localhost:8080/run",
      report: "javascript:alert(1)",
      space: "https://octo-mood.hf.space",
      pullRequest: "",
      commit: "file:///etc",
    };
    expect(renderCard(card({ links })).buttons).toEqual([[{ text: "Space", url: "https://octo-mood.hf.space" }]]);
  });

  it("is the same for the same state", () => expect(renderCard(card())).toEqual(renderCard(card())));
});

describe("latency", () => {
  it("is the ratio of the medians if the check has no relative difference, and left out if it was not measured", () => {
    expect(
      latencyRatio(
        modelVerdict({
          checks: [latencyCheck({ kind: "limit", observed: 3, baseline: 2, difference: 1, interval: null })],
        }),
      ),
    ).toBe("×1.500");
    expect(
      latencyRatio(modelVerdict({ checks: [check(), latencyCheck({ baseline: null, difference: null })] })),
    ).toBeNull();
  });
});

describe("sound", () => {
  it("is made when something turns red, needs somebody, or recovers", () => {
    const life: [Phase, CardState["verdict"], boolean][] = [
      ["evaluating", null, false],
      ["verdict", card().verdict, false],
      ["waiting", card().verdict, true],
      ["build", card().verdict, false],
      ["proving", card().verdict, false],
      ["live", card().verdict, false],
      ["evaluating", null, false],
      ["verdict", fail, true],
      ["verdict", fail, false],
      ["evaluating", null, false],
      ["verdict", card().verdict, true],
      ["rolled-back", card().verdict, true],
    ];
    let before: Tone | null = null;
    for (const [phase, verdict, sound] of life) {
      const now = toneOf({ phase, verdict });
      expect([phase, isAudible(before, now)]).toEqual([phase, sound]);
      before = toneToRemember(before, now);
    }
  });

  it("only PASS is green", () => {
    for (const [name, file] of Object.entries(stories))
      expect([name, toneOf({ phase: "verdict", verdict: file.models[0] ?? null })]).toEqual([
        name,
        file.models[0]?.verdict === "PASS" ? "green" : "red",
      ]);
  });
});
