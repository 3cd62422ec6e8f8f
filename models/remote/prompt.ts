import { z } from "zod";
import { fieldOf, RowError, type Row } from "../core/row.ts";
import { fillIn, type RemoteManifest } from "./manifest.ts";

export type ChatMessage = { role: "system" | "user"; content: string };

/** The schema of a remote model's rows. Other fields are allowed. */
export function remoteRowSchema(manifest: Pick<RemoteManifest, "inputs">): z.ZodObject {
  return z.looseObject(
    Object.fromEntries(
      Object.entries(manifest.inputs).map(([name, input]) => {
        let value: z.ZodType;
        if (input.type === "text") value = z.string().max(input.maxCharacters);
        else {
          let number = z.number();
          if (input.min !== undefined) number = number.min(input.min);
          if (input.max !== undefined) number = number.max(input.max);
          value = number;
        }
        return [name, input.fill === undefined ? value : value.nullish()];
      }),
    ),
  );
}

/**
 * Control and format characters of Unicode except line ends and tabs. They show nothing and can steer terminals and
 * models.
 */
const INVISIBLE = /[^\P{Cc}\n\t]|[\u200B\u2028-\u202E\u2060-\u2069\uFEFF]/gu;

/**
 * Turns a row into the messages for the remote model. Texts are cleaned: NFC, no invisible characters, trimmed.
 *
 * @throws RowError for a field that is missing, empty, of another type or beyond its limits.
 */
export function promptOf(manifest: Pick<RemoteManifest, "inputs" | "prompt">, row: Row): ChatMessage[] {
  const values = Object.fromEntries(
    Object.entries(manifest.inputs).map(([name, input]) => {
      const given = fieldOf(row, name) ?? input.fill;
      if (input.type === "number") {
        if (typeof given !== "number" || !Number.isFinite(given))
          throw new RowError(
            name,
            given === undefined ? "the value is missing" : "not a finite number",
            "a finite number",
            given,
          );
        if (given < (input.min ?? -Infinity) || given > (input.max ?? Infinity))
          throw new RowError(name, "a number out of range", `${input.min ?? "-∞"} to ${input.max ?? "∞"}`, given);
        return [name, String(given)];
      }
      if (typeof given !== "string")
        throw new RowError(name, given === undefined ? "the text is missing" : "not a text", "a text", given);
      if (given.length > input.maxCharacters)
        throw new RowError(name, "the text is too long", `at most ${input.maxCharacters} characters`, given, {
          shown: `${given.length} characters`,
        });
      const clean = given.normalize("NFC").replaceAll(/\r\n?/g, "\n").replaceAll(INVISIBLE, "").trim();
      if (clean === "")
        throw new RowError(name, "the text is empty", "a text with at least one visible character", given);
      return [name, clean];
    }),
  );
  const question = { role: "user" as const, content: fillIn(manifest.prompt.template, values) };
  return manifest.prompt.system === "" ? [question] : [{ role: "system", content: manifest.prompt.system }, question];
}
