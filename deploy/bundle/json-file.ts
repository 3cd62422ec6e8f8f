import type { z } from "zod";
import { ConfigurationError } from "../../models/core/errors.ts";

/** Words of the error when a file is not what was expected. */
type FileWords = { code: string; origin: string; mismatch: string; schema: string; hint?: string };

/** A JSON file as its schema reads it. @throws ConfigurationError naming the file and what does not fit */
export function parseJsonFile<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  place: string,
  words: FileWords,
): z.infer<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch {
    throw new ConfigurationError({
      code: words.code,
      place,
      problem: "the file is not JSON",
      expected: words.origin,
    });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConfigurationError({
    code: words.code,
    place: `${place} ${issue?.path.join(".") ?? ""}`,
    problem: words.mismatch,
    expected: issue?.message ?? words.schema,
    ...(words.hint === undefined ? {} : { hint: words.hint }),
  });
}
