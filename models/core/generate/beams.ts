import { EvaluationError } from "../errors.ts";

/** A text that ended: its tokens, with the end where it has one, and its score. */
type Hypothesis = { made: readonly number[]; score: number; ended: boolean };

export type BeamOptions = { beams: number; lengthPenalty: number; earlyStopping: boolean; end: readonly number[] };

export type BeamSearch = {
  /** Beams that go on: which one of before each continues, and with which token; its sum of log probabilities. */
  readonly live: readonly { from: number; token: number; score: number; made: readonly number[] }[];
  /** Takes the log probabilities of the next token of every live beam. @returns whether the search is over. */
  advance(scores: readonly Float32Array[], limit: number): boolean;
  best(): Hypothesis;
};

/**
 * Beam search of one row, as transformers does it: the best 2n continuations are looked at, an end among the best n is a
 * finished text, and texts are compared by sum / tokens^lengthPenalty. Equal scores: the earlier beam, the smaller id.
 */
export function beamSearch({ beams, lengthPenalty, earlyStopping, end }: BeamOptions): BeamSearch {
  const finished: Hypothesis[] = [];
  // At first all beams are equal: only one may continue.
  let live: { from: number; token: number; score: number; made: readonly number[] }[] = Array.from(
    { length: beams },
    (_, i) => ({ from: i, token: -1, score: i === 0 ? 0 : -1e9, made: [] }),
  );
  const add = (made: readonly number[], sum: number, ended: boolean) => {
    finished.push({ made, score: sum / made.length ** lengthPenalty, ended });
    finished.sort((a, b) => b.score - a.score);
    if (finished.length > beams) finished.pop();
  };
  return {
    get live() {
      return live;
    },
    advance(scores, limit) {
      const candidates = best(scores, live, 2 * beams);
      if (candidates.length === 0)
        throw new EvaluationError({
          code: "output-not-finite",
          problem: "no token may follow",
          expected: "a token that the rules of `generate` allow",
          received: "all of them forbidden",
        });
      const next: typeof live = [];
      for (const [rank, { beam, token, score }] of candidates.entries()) {
        const made = [...live[beam]!.made, token];
        if (end.includes(token)) {
          if (rank < beams) add(made, score, true);
        } else next.push({ from: beam, token, score, made });
        if (next.length === beams) break;
      }
      const length = live[0]!.made.length + 1;
      const highest = candidates[0]!.score / length ** lengthPenalty;
      const done = finished.length === beams && (earlyStopping || finished.at(-1)!.score >= highest);
      const over = done || length >= limit || next.length === 0;
      if (over && !done) for (const { made, score } of next) add(made, score, false);
      // All but all continuations may be forbidden; what is left stands for the rest, too unlikely to be chosen.
      while (next.length > 0 && next.length < beams) next.push({ ...next.at(-1)!, score: -Infinity });
      live = next;
      return over;
    },
    best: () => finished[0]!,
  };
}

type Candidate = { beam: number; token: number; score: number };

/** The `count` best continuations, best first. */
function best(scores: readonly Float32Array[], live: readonly { score: number }[], count: number): Candidate[] {
  const kept: Candidate[] = [];
  scores.forEach((row, beam) => {
    const before = live[beam]!.score;
    for (let token = 0; token < row.length; token++) {
      const score = before + row[token]!;
      if (score === -Infinity) continue;
      if (kept.length === count && score <= kept.at(-1)!.score) continue;
      let at = kept.length;
      while (at > 0 && kept[at - 1]!.score < score) at--;
      kept.splice(at, 0, { beam, token, score });
      if (kept.length > count) kept.pop();
    }
  });
  return kept;
}

/** Logits → log probabilities, in place. */
export function logSoftmax(logits: Float32Array): Float32Array {
  let top = -Infinity;
  for (const logit of logits) if (logit > top) top = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - top);
  const shift = top + Math.log(sum);
  for (let i = 0; i < logits.length; i++) logits[i] = logits[i]! - shift;
  return logits;
}
