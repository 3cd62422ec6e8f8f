import type { CellType } from "./cells.ts";
import { openReader, type Format, type TextOptions } from "./open.ts";
import { placeName } from "./reading.ts";
import type { FileSource } from "./source.ts";

/**
 * One row of a file to predict. `row` is its number in the file, from 0. `id` is the value of its id field, or else its
 * number. `json` is the row as a model takes it; `malformed` says why there is none.
 */
export type Item = { row: number; id: string } & ({ json: string } | { malformed: string });

export type ItemFile = { source: FileSource; name: string; format: Format; options?: TextOptions };

/**
 * The rows from number `from` on. Only the model's own fields are kept (all fields if none are named), and empty ones
 * are left out. Bytes become base64, as image fields expect.
 *
 * @throws the readers' own errors
 */
export async function* readItems(
  { source, name, format, options }: ItemFile,
  fields: ReadonlyMap<string, CellType>,
  idField: string,
  from: number,
): AsyncGenerator<Item> {
  const types = fields.has(idField) ? fields : new Map(fields).set(idField, "text");
  const { style, readings } = await openReader(source, name, format, types, "guess", options);
  for await (const reading of readings) {
    if (reading.index < from) continue;
    const row = reading.index;
    if (reading.kind === "malformed") {
      yield { row, id: String(row), malformed: `${placeName(name, style, reading.at)}: ${reading.reason}` };
      continue;
    }
    const given = Object.hasOwn(reading.fields, idField) ? reading.fields[idField] : undefined;
    const id =
      given !== undefined && given !== "" && ["string", "number", "boolean"].includes(typeof given)
        ? String(given)
        : String(row);
    const sent: Record<string, unknown> = {};
    for (const name of fields.size === 0 ? Object.keys(reading.fields) : fields.keys()) {
      const value = Object.hasOwn(reading.fields, name) ? reading.fields[name] : null;
      if (value !== null && value !== undefined)
        Object.defineProperty(sent, name, {
          value: value instanceof Uint8Array ? Buffer.from(value).toString("base64") : value,
          enumerable: true,
        });
    }
    yield { row, id, json: JSON.stringify(sent) };
  }
}
