import { hash } from "node:crypto";

/**
 * Place of each item among those of equal score: by the SHA-256 of its id in UTF-8, ascending. Neither the order of a
 * catalogue nor that of its ids may decide, because both often follow popularity or age, and a model that scores all
 * items alike would then be as good as these. The order is the same on every machine and for every user.
 */
export function tieOrder(ids: readonly string[]): Int32Array {
  const digests = ids.map((id) => hash("sha256", id));
  const sorted = Array.from(ids.keys()).sort((a, b) => (digests[a]! < digests[b]! ? -1 : 1));
  const order = new Int32Array(ids.length);
  sorted.forEach((item, position) => void (order[item] = position));
  return order;
}
