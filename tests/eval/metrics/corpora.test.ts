import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { answerSample, texts } from "./answer-samples.ts";
import { metric, value } from "./samples.ts";

// Real corpora are not in the repository, because of their size and licences. Where they lie beside it, they are read.
const data = join(import.meta.dirname, "../../../../shared/data");
const missing = !existsSync(join(data, "reference/sequence.json"));
const json = (name: string) => JSON.parse(readFileSync(join(data, "reference", name), "utf8")) as unknown;
const lines = (name: string) =>
  readFileSync(join(data, "translation", name), "utf8")
    .split("\n")
    .slice(0, -1);

describe.skipIf(missing)("on real corpora (skipped where ../shared/data is not there)", () => {
  it("BLEU and chrF of 1,997 translated sentences are sacreBLEU's", () => {
    const { corpus } = json("sacrebleu_apertium_ntrex.json") as {
      corpus: Record<string, { score: number; sig: string }>;
    };
    const sample = answerSample(texts(lines("ntrex/spa.txt"), lines("apertium_eng-spa_ntrex_hyp.txt")));
    const cases = [
      ["bleu_13a_exp", "bleu", {}],
      ["bleu_lc", "bleu", { lowercase: true }],
      ["bleu_none_tok", "bleu", { tokenizer: "none" }],
      ["bleu_char", "bleu", { tokenizer: "char" }],
      ["bleu_intl", "bleu", { tokenizer: "intl" }],
      ["chrF2", "chrf", {}],
      ["chrF2++", "chrf", { wordOrder: 2 }],
    ] as const;
    for (const [key, name, options] of cases) {
      expect(value(name, sample, options), key).toBeCloseTo(corpus[key]!.score, 6);
      expect(metric(name).signature?.(sample, options)).toBe(corpus[key]!.sig.replace(/\+.*$/, "-sluice.1"));
    }
  });

  it("WER and CER of 13 recordings are jiwer's, with each rule that it was given", () => {
    const { asr } = json("sequence.json") as {
      asr: { rows: { ref: string; hyp: string }[]; variants: Record<string, { wer: number; cer: number }> };
    };
    const sample = answerSample(
      texts(
        asr.rows.map(({ ref }) => ref),
        asr.rows.map(({ hyp }) => hyp),
      ),
    );
    for (const [variant, normaliser] of [
      ["as is", "none"],
      ["lower", "lower"],
      ["lower, punctuation removed", "lower-no-punctuation"],
    ] as const) {
      expect(value("wer", sample, { normaliser }), variant).toBeCloseTo(asr.variants[variant]!.wer, 9);
      expect(value("cer", sample, { normaliser }), variant).toBeCloseTo(asr.variants[variant]!.cer, 9);
    }
  });
});
