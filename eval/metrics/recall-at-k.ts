import { defaultK, hitsWithin, userMeanDefinition } from "./user-mean.ts";

/**
 * Recall at k: the share of a user's relevant items that are among the first k of the list, averaged over users. As
 * trec_eval's recall_K and ranx; divided by all relevant items, also where they are more than k.
 */
export const recallAtK = userMeanDefinition(
  { name: "recall_at_k", defaultOptions: { k: defaultK } },
  (hits, user, { k = defaultK }) => hitsWithin(hits, user, k) / (hits.relevant[user] as number),
);
