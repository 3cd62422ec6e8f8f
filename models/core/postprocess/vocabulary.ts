import { ConfigurationError } from "../errors.ts";

/**
 * The tokens of a vocabulary by id: a JSON list of texts (.json), or a file with a token on each line.
 *
 * @throws ConfigurationError `head-vocabulary` for anything else, and for an empty one
 */
export function readVocabulary(text: string, path: string, place: () => string): string[] {
  const refuse = (received: string, cause?: unknown) =>
    new ConfigurationError(
      {
        code: "head-vocabulary",
        place: place(),
        problem: `the vocabulary ${path} cannot be read`,
        expected: "a JSON list of texts, or a text file with a token on each line",
        received,
      },
      { cause },
    );
  if (!/\.json$/i.test(path)) {
    const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
    if (text === "") throw refuse("an empty file");
    return lines;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(String((error as Error).message).slice(0, 120), error);
  }
  if (!Array.isArray(value) || value.length === 0 || !value.every((one) => typeof one === "string"))
    throw refuse(Array.isArray(value) ? "a list of other values" : "no list");
  return value;
}
