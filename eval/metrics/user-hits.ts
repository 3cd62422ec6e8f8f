import type { Answers } from "../predictions/predictions.ts";
import type { AnswerRows, Sample } from "./definition.ts";
import { onceForAnswers } from "./once-for-answers.ts";
import { selectRows } from "../predictions/select-rows.ts";

export type Rankings = Extract<Answers, { kind: "ranking" }>;

/** What every metric of rankings needs of each user, for all users of some answers. */
export type UserHits = {
  /** Relevant items of each user; one whose gain is 0 is none. */
  relevant: Uint32Array;
  /** Hits of user i are from `starts[i]` to `starts[i + 1] - 1`. */
  starts: Uint32Array;
  /** Place of each hit in the list, from 1 on, ascending within a user. */
  ranks: Uint32Array;
  /** Gain of each hit. */
  gains: Float64Array;
  /** Gains of the relevant items of each user, largest first. */
  ideal: readonly Float64Array[];
};

/** Computed once per answers: O(items in the lists). */
export function userHits(answers: Rankings): UserHits {
  return onceForAnswers(answers, "hits", () => findHits(answers));
}

function findHits({ relevant, gains, ranked }: Rankings): UserHits {
  const users = ranked.length;
  const counts = new Uint32Array(users);
  const starts = new Uint32Array(users + 1);
  const ranks: number[] = [];
  const hitGains: number[] = [];
  const ideal: Float64Array[] = [];
  for (let user = 0; user < users; user++) {
    const gainOf = new Map<string, number>();
    (relevant[user] as string[]).forEach((item, i) => {
      const gain = gains?.[user]?.[i] ?? 1;
      if (gain > 0) gainOf.set(item, gain);
    });
    counts[user] = gainOf.size;
    ideal.push(Float64Array.from(gainOf.values()).sort((one, other) => other - one));
    (ranked[user] as string[]).forEach((item, i) => {
      const gain = gainOf.get(item);
      if (gain === undefined) return;
      ranks.push(i + 1);
      hitGains.push(gain);
    });
    starts[user + 1] = ranks.length;
  }
  return { relevant: counts, starts, ranks: Uint32Array.from(ranks), gains: Float64Array.from(hitGains), ideal };
}

export function rankingsOf({ answerRows }: Sample): AnswerRows<Rankings> | null {
  return answerRows?.of.kind === "ranking" ? (answerRows as AnswerRows<Rankings>) : null;
}

/** The users of a sample who have a relevant item; only about them can a list be right or wrong. */
export function withRelevant(sample: Sample): Sample {
  const rankings = rankingsOf(sample);
  if (rankings === null) return sample;
  const { relevant } = userHits(rankings.of);
  const kept = Int32Array.from(rankings.rows.keys()).filter((i) => relevant[rankings.rows[i] as number] !== 0);
  return kept.length === rankings.rows.length ? sample : selectRows(sample, kept);
}
