import { z } from "zod";
import type { Manifest } from "./manifest.ts";
import type { PreprocessStep, TabularStep } from "../preprocess/schema.ts";

/**
 * What a row of a model looks like, for requests and their documentation (`z.toJSONSchema`). Further fields are
 * allowed. It describes; the preprocessing itself still decides, row by row, with errors of its own.
 */
export function rowSchema(manifest: Pick<Manifest, "preprocess">): z.ZodObject {
  const fields: Record<string, z.ZodType> = {};
  for (const step of Object.values(manifest.preprocess)) Object.assign(fields, fieldsOf(step));
  return z.looseObject(fields);
}

function fieldsOf(step: PreprocessStep): Record<string, z.ZodType> {
  switch (step.kind) {
    case "text":
      return {
        [step.field]: z.string().max(step.maxCharacters),
        ...Object.fromEntries(step.append.map((name) => [name, z.string().max(step.maxCharacters).nullish()])),
      };
    case "image": {
      const image = z
        .string()
        .describe(`base64 bytes of an image, ${step.urls ? "a data: URL or a public http(s) URL" : "or a data: URL"}`);
      return { [step.field]: step.missing === "reject" ? image : image.nullish() };
    }
    case "tensor":
      return {
        [step.field]: step.shape.reduceRight<z.ZodType>((inner, size) => z.array(inner).length(size), z.number()),
      };
    case "tabular":
      return Object.fromEntries(
        Object.entries(step.columns).flatMap(([name, column]) =>
          column.type === "present" ? [] : [[name, columnSchema(column)]],
        ),
      );
  }
}

function columnSchema(column: Exclude<TabularStep["columns"][string], { type: "present" }>): z.ZodType {
  if (column.type === "number-list") return z.array(z.number()).length(column.length);
  const value = {
    number: () => {
      let number = z.number();
      if (column.type === "number" && column.min !== undefined) number = number.min(column.min);
      if (column.type === "number" && column.max !== undefined) number = number.max(column.max);
      return number;
    },
    string: () => z.string(),
    boolean: () => z.boolean(),
    date: () => z.iso.date(),
  }[column.type]();
  return column.missing === "reject" ? value : value.nullish();
}
