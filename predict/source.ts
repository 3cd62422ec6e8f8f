import type { CellType } from "../eval/dataset/formats/cells.ts";
import type { Item } from "../eval/dataset/formats/items.ts";

/** Rows to predict, wherever they are kept. */
export type Source = {
  /** The file or table, without secrets. */
  name: string;
  /** SHA-256 of the content, for an output that is a file. */
  sha256: string;
  rows: number;
  /**
   * The rows from number `from` on. Only the model's own fields are kept (all fields if it names none), and empty ones
   * are left out.
   */
  items: (fields: ReadonlyMap<string, CellType>, from: number) => AsyncGenerator<Item>;
  close: () => Promise<void>;
};
