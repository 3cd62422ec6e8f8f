import { defaultK, userMeanDefinition } from "./user-mean.ts";

/**
 * Mean average precision at k: the precision at each hit among the first k, added up and divided by the number of
 * relevant items, averaged over users. As trec_eval's map_cut_K and ranx; some recommender papers divide by min(k,
 * relevant) instead.
 */
export const mapAtK = userMeanDefinition(
  { name: "map_at_k", defaultOptions: { k: defaultK } },
  ({ starts, ranks, relevant }, user, { k = defaultK }) => {
    let sum = 0;
    for (let at = starts[user] as number, hits = 1; at < (starts[user + 1] as number); at++, hits++) {
      const rank = ranks[at] as number;
      if (rank > k) break;
      sum += hits / rank;
    }
    return sum / (relevant[user] as number);
  },
);
