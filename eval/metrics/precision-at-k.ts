import { defaultK, hitsWithin, userMeanDefinition } from "./user-mean.ts";

/**
 * Precision at k: the share of the first k places that hold a relevant item, averaged over users. As trec_eval's P_K and
 * ranx: divided by k also where the list is shorter, so that a short list gains nothing.
 */
export const precisionAtK = userMeanDefinition(
  { name: "precision_at_k", defaultOptions: { k: defaultK } },
  (hits, user, { k = defaultK }) => hitsWithin(hits, user, k) / k,
);
