import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adviseModel, result } from "../../../eval/advice/advise.ts";
import { keeps, type RemoteAnswer } from "../../../eval/advice/check-answer.ts";
import { countWords, languageOf } from "../../../eval/advice/language.ts";
import { adviceMarkdown, adviceTerminal } from "../../../eval/report/advice.ts";
import { adviceFile, type ModelAdvice } from "../../../eval/schema/advice.ts";
import { adviceCheck } from "../../../models/remote/advice.ts";

const answer = (text: string, more: Partial<Extract<RemoteAnswer, { ok: true }>> = {}): RemoteAnswer => ({
  ok: true,
  text,
  cut: false,
  firstWordsMs: 300,
  answerMs: 900,
  usage: null,
  ...more,
});
const lost: RemoteAnswer = { ok: false, reason: "deadline", answerMs: 20_000 };
const check = (value: object) => adviceCheck.parse({ atLeast: 0.8, ...value });
const kept = (value: object, given: RemoteAnswer, row = {}) => keeps(check(value), given, row);

describe("the language of a short message", () => {
  it.each([
    ["en", "What wonderful news, you have worked so hard for this."],
    ["en", "I'm so sorry."],
    ["en", "That sounds lovely. I hope the rest of your day is just as kind to you."],
    ["de", "Das tut mir leid, ich hoffe, dass es dir bald besser geht."],
    ["fr", "Je suis désolé pour vous, c'est une triste nouvelle."],
    ["es", "Lo siento mucho, espero que todo mejore para ti."],
    ["it", "Mi dispiace molto, spero che tutto vada meglio per te."],
    ["nl", "Wat vervelend voor je, ik hoop dat het snel beter gaat."],
    ["pt", "Sinto muito, espero que você fique melhor em breve e que não desista."],
  ] as const)("%s: %s", (language, text) => {
    expect(languageOf(text)).toBe(language);
  });

  it.each(["", "42!", "Congratulations", "真的很抱歉", "🙂🙂"])("no language is claimed for %j", (text) => {
    expect(languageOf(text)).toBeNull();
  });

  it("does not crash on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect([null, "de", "en", "es", "fr", "it", "nl", "pt"]).toContain(languageOf(text));
      }),
    );
  });
});

describe("one answer and one check", () => {
  it("length: words or characters, limits included; an answer that was cut never keeps it", () => {
    expect(countWords("Don't worry – it’s fine, 3 times.")).toBe(5);
    expect(
      ["one two", "one two three", "a b c d e", "a b c d e f"].map((text) =>
        kept({ kind: "length", min: 3, max: 5 }, answer(text)),
      ),
    ).toEqual([false, true, true, false]);
    expect(kept({ kind: "length", unit: "characters", max: 2 }, answer(" 👋👋 "))).toBe(true);
    expect(kept({ kind: "length", min: 1 }, answer("one two three", { cut: true }))).toBe(false);
  });

  it("mentions: the beginning of a word, in upper or lower case; does not apply to a prompt without words", () => {
    const row = { mentions: ["driv", "test"] };
    expect(kept({ kind: "mentions" }, answer("Well done on the Driving!"), row)).toBe(true);
    expect(kept({ kind: "mentions" }, answer("What a contest."), row)).toBe(false);
    expect(kept({ kind: "mentions" }, answer("Well done."), { mentions: [] })).toBeNull();
    expect(kept({ kind: "mentions" }, answer("Well done."), {})).toBeNull();
  });

  it("refusals: with either apostrophe, and with additional phrases", () => {
    expect(
      ["I’m sorry, but I can’t help with that.", "As an AI, I have no feelings.", "I can help you feel better."].map(
        (text) => kept({ kind: "refusals" }, answer(text)),
      ),
    ).toEqual([false, false, true]);
    expect(kept({ kind: "refusals", also: ["<think>"] }, answer("<THINK> hm"))).toBe(false);
  });

  it("time: of the answer or of its first words; a missing answer is never in time, and other checks do not apply to it", () => {
    expect([
      kept({ kind: "time", maxMs: 900 }, answer("x")),
      kept({ kind: "time", maxMs: 899 }, answer("x")),
      kept({ kind: "time", of: "first-words", maxMs: 300 }, answer("x")),
    ]).toEqual([true, false, true]);
    expect(kept({ kind: "time", maxMs: 60_000 }, lost)).toBe(false);
    for (const kind of ["length", "language", "mentions", "refusals"])
      expect(
        kept(
          { kind, ...(kind === "length" ? { min: 1 } : {}), ...(kind === "language" ? { language: "en" } : {}) },
          lost,
          { mentions: ["x"] },
        ),
      ).toBeNull();
  });
});

describe("the share that keeps a check", () => {
  const outcomes = (yes: number, no: number, silent = 0) =>
    [...Array(yes).fill(true), ...Array(no).fill(false), ...Array(silent).fill(null)].map(
      (kept: boolean | null, i) => ({ id: `p${i}`, kept }),
    );
  const of = (yes: number, no: number, silent = 0) =>
    result(check({ kind: "refusals" }), outcomes(yes, no, silent), 0.9);

  it("has Wilson's interval, and a word for where the whole interval lies", () => {
    // Wilson (1927) at 90 %, 20 of 24: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n), z = 1.644854.
    expect(of(20, 4, 3)).toMatchObject({
      kept: 20,
      n: 24,
      word: "open",
      broken: ["p20", "p21", "p22", "p23"],
      interval: {
        level: 0.9,
        method: "Wilson",
        low: expect.closeTo(0.6764, 3) as number,
        high: expect.closeTo(0.9227, 3) as number,
      },
    });
    expect([of(24, 0).word, of(10, 14).word, of(0, 0, 5).word]).toEqual(["holds", "falls short", "not measured"]);
    expect(of(0, 0, 5).interval).toBeNull();
  });
});

describe("the report", () => {
  const nasty = "x\u001b[31m | <script> @octocat";
  const model: ModelAdvice = {
    model: { id: "reply", version: "1.0.0", remote: nasty },
    state: "measured",
    reason: "",
    prompts: 24,
    answered: 20,
    failures: { deadline: 4 },
    checks: [
      result(
        check({ kind: "refusals" }),
        [{ id: nasty, kept: false }, ...Array.from({ length: 7 }, (_, i) => ({ id: `p${i}`, kept: false }))],
        0.9,
      ),
    ],
    firstWordsMs: { p50: 210.4, p95: 900 },
    answerMs: { p50: 1200, p95: 3000 },
    tokensPerAnswer: { input: 210.5, output: 40 },
    costPerThousand: { amount: 0.02506, currency: "USD" },
  };
  const file = adviceFile.parse({
    schemaVersion: 1,
    sluiceVersion: "0.1.0",
    createdAt: "2026-01-01T00:00:00Z",
    models: [model],
  });

  it("says on a terminal that it decides nothing, within the width and without foreign control characters", () => {
    const text = adviceTerminal(file, { color: false, width: 80 });
    expect(text).toMatch(/^reply 1\.0\.0: advisory, decides nothing/);
    expect(text).toContain("… and 3 more");
    expect(text).toContain("Without an answer: 4 deadline");
    expect(text).toContain("USD 0.0251 per 1,000 answers");
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("is escaped in Markdown", () => {
    const text = adviceMarkdown(file);
    expect(text).toContain("| refusals | does not decline | 0/8 | 0% |");
    expect(text).not.toMatch(/<script|@octocat/);
    expect(
      text
        .split("\n")
        .filter((line) => line.startsWith("|"))
        .map((line) => line.split("|").length),
    ).toEqual([9, 9, 9]);
  });
});

it("a model without `advice` is reported as such and not asked", async () => {
  const loaded = {
    manifest: { id: "reply", version: "1.0.0", model: "org/name" },
    dir: ".",
    file: "model.yaml",
    text: "",
  } as unknown as Parameters<typeof adviseModel>[0];
  const { advice } = await adviseModel(
    loaded,
    () => Promise.reject(new Error("asked")),
    () => {},
  );
  expect(advice).toMatchObject({ state: "no-checks", prompts: 0 });
});
