import { userMeanDefinition } from "./user-mean.ts";

/**
 * Mean reciprocal rank: 1 over the place of the first relevant item, 0 where the list has none, averaged over users. Not
 * cut unless `k` is given, as trec_eval's recip_rank. E. M. Voorhees, TREC-8 question answering track report (1999).
 */
export const mrr = userMeanDefinition(
  { name: "mrr", defaultOptions: {}, furtherOptions: ["k"] },
  ({ starts, ranks }, user, { k = Infinity }) => {
    const first = starts[user] as number;
    if (first === starts[user + 1]) return 0;
    const rank = ranks[first] as number;
    return rank <= k ? 1 / rank : 0;
  },
);
