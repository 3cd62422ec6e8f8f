import { ConfigurationError, EvaluationError } from "../errors.ts";
import type { Row } from "../row.ts";
import { rowOfItem, type CatalogueItem } from "../catalogue/catalogue.ts";
import { itemIds } from "../catalogue/item-ids.ts";
import type { HeadFiles, RowTensor, TensorsHead } from "./compiled.ts";
import { numbersOf } from "./numbers-of.ts";
import type { RankedItem } from "./result.ts";
import type { RankingHead } from "./schema.ts";
import { tieOrder, type TieOrder } from "./tie-order.ts";

/** Items by their row number in the catalogue; `items` is null where every item is scored, in the catalogue's order. */
type Scored = { scores: ArrayLike<number>; items: ArrayLike<number> | null };
type Best = { item: number; score: number }[];

/**
 * The k best items that the row does not exclude, from scores of the whole catalogue or of the items that the graph
 * names.
 *
 * @param width items that the graph scores per row; null where that varies
 * @throws ConfigurationError `head-catalogue` where the catalogue has fewer items than k, or another number than the
 *   graph scores
 */
export function compileRanking(
  head: RankingHead,
  place: () => string,
  width: number | null,
  files: HeadFiles,
): TensorsHead {
  const items = files.catalogue ?? [];
  const misfit = (problem: string, expected: string, received: string) =>
    new ConfigurationError({ code: "head-catalogue", place: place(), problem, expected, received });
  if (items.length < head.k)
    throw misfit(
      `the catalogue ${head.catalogue.path} has fewer items than the head ${head.name} answers`,
      `at least ${head.k} items`,
      String(items.length),
    );
  if (width !== null && head.ids === undefined && width !== items.length)
    throw misfit(
      `the graph scores another number of items than the catalogue ${head.catalogue.path} has`,
      `${width} items, one per column of ${head.scores}`,
      `${items.length} items`,
    );
  if (width !== null && head.ids !== undefined && width < head.k)
    throw misfit(
      `the graph names fewer items than the head ${head.name} answers`,
      `at least ${head.k} in ${head.ids}`,
      String(width),
    );
  const rowOfId = rowOfItem(items);
  const isEarlier = tieOrder(
    items.map(({ id }) => id),
    head.ids === undefined,
  );

  return {
    kind: "tensors",
    head,
    readRow(outputs, { row }, rowName) {
      const scored = scoredOf(head, outputs, items.length, rowName);
      const excluded = head.exclude === undefined ? null : excludedItems(row, head.exclude, rowOfId);
      const best = bestOf(scored, head.k, isEarlier, excluded);
      if (best.length < head.k)
        throw wrong(
          "ranking-short",
          rowName(),
          `the head ${head.name} has too few items for an answer`,
          `${head.k} items`,
          `${best.length}: ${scored.scores.length} of the graph, ${excluded?.size ?? 0} excluded by the row`,
          "have the graph give as many items more as a row can exclude, or its scores of the whole catalogue",
        );
      return { kind: "ranking", items: best.map(({ item, score }) => answered(items[item]!, score)) };
    },
    raw(outputs) {
      const scored = scoredOf(head, outputs, items.length, () => "");
      if (scored.items === null) return { numbers: scored.scores, exact: [], ranked: [] };
      const ranked = Array.from(scored.items, (item, i) => ({ id: items[item]!.id, score: scored.scores[i]! }));
      return { numbers: [], exact: [], ranked };
    },
  };
}

const answered = ({ id, title }: CatalogueItem, score: number): RankedItem =>
  title === undefined ? { id, score } : { id, score, title };

/**
 * What the graph gave, checked.
 *
 * @throws EvaluationError
 */
function scoredOf(
  head: RankingHead,
  outputs: Readonly<Record<string, RowTensor>>,
  itemCount: number,
  rowName: () => string,
): Scored {
  const scores = listOf(head, outputs[head.scores], head.scores, rowName);
  const items = head.ids === undefined ? null : listOf(head, outputs[head.ids], head.ids, rowName);
  const wanted = items?.length ?? itemCount;
  if (scores.length !== wanted)
    throw wrong(
      "output-size",
      rowName(),
      items === null
        ? `the output ${head.scores} scores another number of items than the catalogue has`
        : `the outputs ${head.ids} and ${head.scores} have different sizes`,
      `${wanted} scores`,
      String(scores.length),
    );
  for (let i = 0; i < scores.length; i++)
    if (!Number.isFinite(scores[i]))
      throw wrong(
        "output-not-finite",
        rowName(),
        `the head ${head.name} gives no finite number`,
        "finite scores",
        `${scores[i]} at position ${i} of ${head.scores}`,
      );
  if (items !== null) checkNamed(head, items, scores, itemCount, rowName);
  return { scores, items };
}

/** Named items are in the catalogue, distinct, and the best comes first. */
function checkNamed(
  head: RankingHead,
  items: ArrayLike<number>,
  scores: ArrayLike<number>,
  itemCount: number,
  rowName: () => string,
): void {
  const seen = new Set<number>();
  for (let i = 0; i < items.length; i++) {
    const item = items[i]!;
    if (!Number.isInteger(item) || item < 0 || item >= itemCount)
      throw wrong(
        "ranking-id",
        rowName(),
        `the output ${head.ids} names an item that the catalogue does not have`,
        `row numbers from 0 to ${itemCount - 1}`,
        `${item} at position ${i}`,
      );
    if (seen.has(item))
      throw wrong(
        "ranking-id",
        rowName(),
        `the output ${head.ids} names an item twice`,
        "every item once",
        `${item}, again at position ${i}`,
      );
    seen.add(item);
    if (i > 0 && scores[i]! > scores[i - 1]!)
      throw wrong(
        "ranking-order",
        rowName(),
        `the scores of ${head.scores} rise`,
        "the best item first",
        `${scores[i - 1]}, then ${scores[i]} at position ${i}`,
        "TopK sorts with largest = 1 and sorted = 1",
      );
  }
}

function listOf(
  head: RankingHead,
  tensor: RowTensor | undefined,
  name: string,
  rowName: () => string,
): ArrayLike<number> {
  if (tensor !== undefined && tensor.dims.length === 1 && tensor.dtype !== "string") return numbersOf(tensor.data);
  throw wrong(
    "output-size",
    rowName(),
    `the output ${name} is no list of numbers per row, as the head ${head.name} reads it`,
    "shape [batch, items]",
    tensor === undefined
      ? "another number of rows than it was fed"
      : `[batch, ${tensor.dims.join(", ")}] of ${tensor.dtype}`,
  );
}

/**
 * The `k` best, by score descending and then by `isEarlier`. They are kept sorted while the others go by, because k is small
 * beside a catalogue.
 */
function bestOf({ scores, items }: Scored, k: number, isEarlier: TieOrder, excluded: ReadonlySet<number> | null): Best {
  const best: Best = [];
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    const last = best.length < k ? undefined : best.at(-1)!;
    if (last !== undefined && score < last.score) continue;
    const item = items === null ? i : items[i]!;
    if (excluded?.has(item) === true) continue;
    const isBefore = (other: Best[number]) =>
      score > other.score || (score === other.score && isEarlier(item, other.item));
    if (last !== undefined) {
      if (!isBefore(last)) continue;
      best.pop();
    }
    let at = best.length;
    while (at > 0 && isBefore(best[at - 1]!)) at--;
    best.splice(at, 0, { item, score });
  }
  return best;
}

/**
 * Row numbers of the items that the row names. An item that left the catalogue cannot be answered anyway.
 * @throws RowError
 */
function excludedItems(row: Row, field: string, rowOfId: ReadonlyMap<string, number>): Set<number> {
  const excluded = new Set<number>();
  for (const id of itemIds(row, field, "the list of items to exclude is missing")) {
    const item = rowOfId.get(id);
    if (item !== undefined) excluded.add(item);
  }
  return excluded;
}

function wrong(
  code: string,
  place: string,
  problem: string,
  expected: string,
  received: string,
  hint?: string,
): EvaluationError {
  return new EvaluationError({ code, place, problem, expected, received, ...(hint === undefined ? {} : { hint }) });
}
