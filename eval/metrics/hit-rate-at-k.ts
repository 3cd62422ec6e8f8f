import { defaultK, hitsWithin, userMeanDefinition } from "./user-mean.ts";

/**
 * Hit rate at k: the share of users who find a relevant item among the first k. As trec_eval's success_K. Interval:
 * Wilson, and Tango's score for a paired difference, as for other shares.
 */
export const hitRateAtK = userMeanDefinition(
  { name: "hit_rate_at_k", defaultOptions: { k: defaultK } },
  (hits, user, { k = defaultK }) => (hitsWithin(hits, user, k) > 0 ? 1 : 0),
  "share",
);
