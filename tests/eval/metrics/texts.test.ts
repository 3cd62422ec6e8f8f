import { describe, expect, it } from "vitest";
import { normalisers } from "../../../eval/metrics/normalisers/by-name.ts";
import { tokenizers } from "../../../eval/metrics/tokenizers/by-name.ts";
import { selectRows } from "../../../eval/predictions/select-rows.ts";
import { type TokenizerName, tokenizerNames } from "../../../models/core/manifest/metric-options.ts";
import { answerSample, reference, texts } from "./answer-samples.ts";
import { metric, options, value } from "./samples.ts";

const { inputs, corpus, tokens, significance } = reference.mt;

describe("wer and cer", () => {
  const composed = reference.wer.filter(({ name }) => !name.startsWith("unicode:"));
  it.each(composed)("equal jiwer: $name", ({ ref, hyp, wer, cer }) => {
    const sample = answerSample(texts(ref, hyp));
    if (ref.every((text) => text === "")) {
      // jiwer gives the number of insertions.
      expect(metric("wer").measure(sample, options)).toMatchObject({ status: "undefined", reason: /no word/ });
      return;
    }
    expect(value("wer", sample)).toBeCloseTo(wer, 9);
    expect(value("cer", sample)).toBeCloseTo(cer, 9);
  });

  it("compares with one reference a row only", () => {
    const several = answerSample(texts([["a", "b"]], ["a"]));
    expect(metric("wer").measure(several, options)).toMatchObject({ status: "undefined", reason: /one reference/ });
    expect(metric("wer").listed?.(several)).toBe(false);
  });

  it("applies the normaliser to both sides, and names it with its version", () => {
    const sample = answerSample(texts(["He was (laughing) an ill-disposed man."], ["he was an ill disposed man"]));
    expect(value("wer", sample)).toBeCloseTo(5 / 6, 12);
    expect(value("wer", sample, { normaliser: "lower-no-punctuation" })).toBeCloseTo(3 / 6, 12);
    expect(value("wer", sample, { normaliser: "whisper-basic" })).toBe(0);
    expect(metric("wer").signature?.(sample, { normaliser: "lower" })).toBe("nrefs:1|unit:word|norm:lower.1");
    expect(metric("cer").signature?.(sample, {})).toBe("nrefs:1|unit:character|norm:none.1");
  });

  it("normalises as the rules say", () => {
    expect(normalisers["whisper-basic"].apply("Ça va? [noise] <unk> (hm) 5€ & 3.5%")).toBe("ça va 5 3 5 ");
    expect(normalisers["lower-punctuation-space"].apply(" Cold-hearted, «oui» – he’ll go.")).toBe(
      "cold hearted oui he'll go",
    );
    expect(normalisers["lower-no-punctuation"].apply("Cold-hearted, «oui».")).toBe("coldhearted oui");
  });

  it("keeps an interval that a clean transcript deserves", () => {
    const perfect = answerSample(texts(Array(60).fill("a b c") as string[], Array(60).fill("a b c") as string[]));
    const found = metric("wer").measure(perfect, options);
    expect(found).toMatchObject({ status: "ok", value: 0 });
    if (found.status === "ok") expect(found.interval?.high).toBeGreaterThan(0.02);
  });
});

describe("tokenizers", () => {
  it.each(tokenizerNames.filter((name) => tokens.some(({ tokenizer }) => tokenizer === name)))(
    "cut as sacreBLEU's %s",
    (name) => {
      const mine = tokens.filter(({ tokenizer }) => tokenizer === name);
      expect(mine.map(({ text }) => tokenizers[name](text.trimEnd()))).toEqual(mine.map((one) => one.tokens));
    },
  );
  it("take the curly quotes for Chinese characters, as sacreBLEU's zh does", () => {
    expect(tokenizers.zh("他说“好”。")).toEqual(["他", "说", "“", "好", "”", "。"]);
    expect(tokenizers.zh("a—b")).toEqual(["a", "—", "b"]);
  });
});

const sampleOf = (hyp: string, refs: readonly string[]) =>
  answerSample(
    texts(
      inputs[hyp]!.map((_, i) => refs.map((ref) => inputs[ref]![i]!)),
      inputs[hyp]!,
    ),
  );

describe("bleu and chrf", () => {
  const known = new Set(["tokenize", "lowercase", "word_order", "smooth_method", "smooth_value"]);
  const cases = corpus.filter(
    ({ args }) => Object.keys(args).every((key) => known.has(key)) && (args["smooth_method"] ?? "exp") === "exp",
  );
  it("has enough cases of the reference", () => expect(cases.length).toBeGreaterThan(35));
  it.each(cases)("equal sacreBLEU: $metric $name $hyp", ({ metric: which, hyp, refs, args, score, signature }) => {
    const sample = sampleOf(hyp, refs);
    const asked = {
      ...(args["tokenize"] === undefined ? {} : { tokenizer: args["tokenize"] as TokenizerName }),
      ...(args["lowercase"] === undefined ? {} : { lowercase: args["lowercase"] as boolean }),
      ...(args["word_order"] === undefined ? {} : { wordOrder: args["word_order"] as number }),
    };
    const name = which === "BLEU" ? "bleu" : "chrf";
    expect(value(name, sample, asked)).toBeCloseTo(score, 6);
    expect(metric(name).signature?.(sample, asked)).toBe(`${signature}-sluice.1`);
  });

  it("says var where the rows have different numbers of references", () => {
    const sample = answerSample(texts([["a b"], ["a", "b"]], ["a b", "a"]));
    expect(metric("bleu").signature?.(sample, {})).toMatch(/^nrefs:var\|/);
    expect(value("bleu", sample)).toBeGreaterThanOrEqual(0);
  });

  const systems = {
    baseline: answerSample(texts(repeated("ref"), repeated("A"))),
    candidate: answerSample(texts(repeated("ref"), significance.contender)),
  };
  function repeated(name: string): string[] {
    return Array.from({ length: 48 }, (_, i) => inputs[name]![i % 8]!);
  }

  it("gives sacreBLEU's score on the rows of its bootstrap", () => {
    significance.rows.forEach((rows, i) =>
      expect(value("bleu", selectRows(systems.baseline, Int32Array.from(rows)))).toBeCloseTo(
        significance.bleuOnRows[i]!,
        6,
      ),
    );
  });

  it.each([
    ["bleu", "BLEU"],
    ["chrf", "chrF2"],
  ] as const)("decides %s as sacreBLEU's paired bootstrap does, and its intervals are as wide", (name, key) => {
    const bootstrap = significance.tests.find(({ type }) => type === "bs")!.results[key];
    for (const [i, sample] of [systems.baseline, systems.candidate].entries()) {
      const found = metric(name).measure(sample, { ...options, level: 0.95 });
      expect(found).toMatchObject({ status: "ok", value: expect.closeTo(bootstrap[i]!.score, 6) as number });
      if (found.status !== "ok" || found.interval === null) throw new Error("no interval");
      // sacreBLEU gives half the width of the percentile interval; BCa may shift and is lengthened where it is skewed.
      const half = (found.interval.high - found.interval.low) / 2;
      expect(half / bootstrap[i]!.ci!).toBeGreaterThan(0.85);
      expect(half / bootstrap[i]!.ci!).toBeLessThan(1.3);
    }
    // p of .126 and .177 (two-sided): no difference is shown at .10, as here.
    const contrast = metric(name).contrast(systems.candidate, systems.baseline, options);
    expect(contrast).toMatchObject({ status: "ok" });
    if (contrast.status !== "ok") return;
    expect(bootstrap[1]!.p).toBeGreaterThan(0.1);
    expect(contrast.interval.low).toBeLessThan(0);
    expect(contrast.interval.high).toBeGreaterThan(0);
  });

  it("is the same under another scale of weights, also where an order has no match", () => {
    for (const [hyp, refs] of [
      ["A", ["ref"]],
      ["zero4", ["zero4_ref"]],
    ] as const) {
      const sample = sampleOf(hyp, refs);
      const weights = new Float64Array(sample.labels.length).fill(0.01);
      expect(value("bleu", { ...sample, weights })).toBeCloseTo(value("bleu", sample), 9);
      expect(value("chrf", { ...sample, weights })).toBeCloseTo(value("chrf", sample), 9);
    }
  });

  it("is 0 for empty answers and for empty references", () => {
    const nothing = answerSample(texts(["a b c d e", "f g"], ["", ""]));
    const noReference = answerSample(texts(["", ""], ["a b c d e", "f g"]));
    for (const sample of [nothing, noReference])
      for (const name of ["bleu", "chrf"] as const) expect(value(name, sample)).toBe(0);
  });
});
