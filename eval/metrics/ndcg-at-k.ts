import { defaultK, userMeanDefinition } from "./user-mean.ts";

/**
 * Normalised discounted cumulative gain at k: Σ g / log2(rank + 1) over the first k places, divided by what the best
 * order of all relevant items would have there, averaged over users. g is the item's gain (1 without gains), or with
 * `gain: exponential` 2^gain - 1. K. Järvelin and J. Kekäläinen, ACM TOIS 20 (2002), with the discount of trec_eval's
 * ndcg_cut_K, scikit-learn and ranx's ndcg; exponential as ranx's ndcg_burges.
 */
export const ndcgAtK = userMeanDefinition(
  { name: "ndcg_at_k", defaultOptions: { k: defaultK, gain: "linear" } },
  ({ starts, ranks, gains, ideal }, user, { k = defaultK, gain = "linear" }) => {
    const worth = (value: number): number => (gain === "exponential" ? 2 ** value - 1 : value);
    let sum = 0;
    for (let at = starts[user] as number; at < (starts[user + 1] as number); at++) {
      const rank = ranks[at] as number;
      if (rank > k) break;
      sum += worth(gains[at] as number) / Math.log2(rank + 1);
    }
    if (sum === 0) return 0;
    let best = 0;
    const own = ideal[user] as Float64Array;
    for (let i = 0; i < Math.min(k, own.length); i++) best += worth(own[i] as number) / Math.log2(i + 2);
    return sum / best;
  },
);
