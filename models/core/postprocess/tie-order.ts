import { hash } from "node:crypto";

/** Whether one item comes before another of equal score; both by their row in the catalogue. */
export type TieOrder = (item: number, other: number) => boolean;

/**
 * Order of items of equal score: by the SHA-256 of their ids in UTF-8, ascending. Neither the order of a catalogue nor
 * that of its ids may decide, because both often follow popularity or age, and a model that scores all items alike
 * would then be as good as these. The order is the same on every machine and for every user.
 *
 * @param ahead whether all hashes are computed at once. That pays where every item is scored; a graph that names a few
 *   items of a million needs hardly any.
 */
export function tieOrder(ids: readonly string[], ahead: boolean): TieOrder {
  const digestOf = (item: number) => hash("sha256", ids[item]!);
  if (!ahead) return (item, other) => digestOf(item) < digestOf(other);
  const digests = ids.map((_, item) => digestOf(item));
  const order = new Int32Array(ids.length);
  Array.from(ids.keys())
    .sort((a, b) => (digests[a]! < digests[b]! ? -1 : 1))
    .forEach((item, position) => void (order[item] = position));
  return (item, other) => order[item]! < order[other]!;
}
