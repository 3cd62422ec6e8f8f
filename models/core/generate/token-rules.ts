import { repeatingTokens } from "./no-repeat-ngram.ts";
import { penaliseRepetition } from "./repetition-penalty.ts";
import type { GenerateSettings } from "./schema.ts";

export type TokenRules = {
  /**
   * Applies the rules to the next token's scores, in place.
   * @param tokens all before it, with what the decoder began with
   * @param made how many of them the loop made
   * @param limit most tokens that it may make
   */
  apply(scores: Float32Array, tokens: readonly number[], made: number, limit: number): void;
  /** Whether `apply` may be left out, so that the graph's own memory can be read. */
  idle: boolean;
};

/** Repetition penalty, n-grams, minimum, suppressed and forced tokens: in the order in which transformers applies them. */
export function tokenRules(settings: GenerateSettings): TokenRules {
  const { repetitionPenalty, noRepeatNgram, suppress, beginSuppress, minTokens, end, forcedFirst, forcedLast } =
    settings;
  const ban = (scores: Float32Array, ids: readonly number[]) => {
    for (const id of ids) if (id < scores.length) scores[id] = -Infinity;
  };
  const force = (scores: Float32Array, id: number) => {
    scores.fill(-Infinity);
    scores[id] = 0;
  };
  return {
    idle:
      repetitionPenalty === 1 &&
      noRepeatNgram === 0 &&
      suppress.length === 0 &&
      beginSuppress.length === 0 &&
      minTokens === 0 &&
      forcedFirst === undefined &&
      forcedLast === undefined,
    apply(scores, tokens, made, limit) {
      if (repetitionPenalty !== 1) penaliseRepetition(scores, tokens, repetitionPenalty);
      ban(scores, repeatingTokens(tokens, noRepeatNgram));
      if (made < minTokens) ban(scores, end);
      ban(scores, suppress);
      if (made === 0) ban(scores, beginSuppress);
      if (made === 0 && forcedFirst !== undefined) force(scores, forcedFirst);
      else if (made === limit - 1 && forcedLast !== undefined) force(scores, forcedLast);
    },
  };
}
