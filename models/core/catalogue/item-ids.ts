import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import { itemId } from "./catalogue.ts";

/**
 * The item ids in a field of a row, as text.
 *
 * @param missing the problem, in words, where the field is not there
 * @throws RowError
 */
export function itemIds(row: Row, field: string, missing: string): string[] {
  const given = fieldOf(row, field);
  if (given === undefined || given === null) throw missingField(row, field, missing, "a list of item ids; [] for none");
  if (!Array.isArray(given)) throw new RowError(field, "not a list", "a list of item ids", given);
  return given.map((value: unknown, i) => {
    const id = itemId(value);
    if (id === null) throw new RowError(`${field}[${i}]`, "not an item id", "a text or a whole number", value);
    return id;
  });
}
