import { rowOfItem, type CatalogueItem } from "../catalogue/catalogue.ts";
import { itemIds } from "../catalogue/item-ids.ts";
import type { Row } from "../row.ts";
import { RowError } from "../row.ts";
import type { CompiledStep, Prepared, StepFiles } from "./compiled.ts";
import type { ItemsStep } from "./schema.ts";

/**
 * Item ids → their row numbers in a catalogue, int `[batch, items]`, and a mask of the same shape: 1 where an item
 * stands. Shorter lists are filled up with the number of items, which is one row beyond the catalogue's last. A graph
 * gives that row of its embedding zeros. A list without a known item is one such filler with mask 0.
 */
export function compileItems(step: ItemsStep, files: StepFiles): CompiledStep {
  const items: readonly CatalogueItem[] = files.catalogue ?? [];
  const rows = rowOfItem(items);
  const filler = items.length;
  const width = `items of ${step.field}`;
  const rowsOf = (row: Row): number[] => {
    const ids = itemIds(row, step.field, "the list of items is missing");
    const known: number[] = [];
    const met = step.repeats === "drop" ? new Set<string>() : null;
    // From the end, because what is read is the end of a list that is too long.
    for (let i = ids.length - 1; i >= 0 && known.length < step.maxItems; i--) {
      if (met?.has(ids[i]!) === true) continue;
      met?.add(ids[i]!);
      const at = rows.get(ids[i]!);
      if (at !== undefined) known.push(at);
      else if (step.unknown === "reject")
        throw new RowError(
          `${step.field}[${i}]`,
          "an item that the catalogue does not have",
          `an id of ${step.catalogue.path}`,
          ids[i],
        );
    }
    return known.toReversed();
  };
  return {
    shapes: { ids: [width], mask: [width] },
    prepare(row) {
      const ids = rowsOf(row);
      return { kind: "tokens", ids: ids.length === 0 ? [filler] : ids, typeIds: [] };
    },
    length: (prepared) => idsOf(prepared).length,
    collate(prepared) {
      const lists = prepared.map(idsOf);
      const columns = lists.reduce((most, list) => Math.max(most, list.length), 1);
      const dims = [lists.length, columns];
      const ids = new Int32Array(lists.length * columns).fill(filler);
      lists.forEach((list, i) => ids.set(list, i * columns));
      return { ids: { data: ids, dims }, mask: { data: ids.map((id) => (id === filler ? 0 : 1)), dims } };
    },
  };
}

function idsOf(prepared: Prepared): readonly number[] {
  if (prepared.kind !== "tokens") throw new TypeError(`an items step was given ${prepared.kind}`);
  return prepared.ids;
}
