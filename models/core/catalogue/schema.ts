import { z } from "zod";
import { namedFile } from "../named-file.ts";

/** The items that a model knows, one a record; the rows of its graph's item matrix are in the same order. */
export const catalogueFile = z.strictObject({
  ...namedFile,
  id: z.string().min(1).describe("Field that holds an item's id."),
});

export type CatalogueFile = z.infer<typeof catalogueFile>;
