import { Tokenizer } from "@huggingface/tokenizers";
import { ConfigurationError } from "../errors.ts";
import type { CompiledStep, Prepared, StepFiles, StepPlace, Word } from "./compiled.ts";
import { fieldOf, missingField, RowError, type Row } from "../row.ts";
import type { TextStep } from "./schema.ts";
import { wordTokens } from "./word-tokens.ts";

/**
 * Text → token ids. Truncation removes tokens from the end of the text and keeps the special tokens around it. The
 * attention mask is 1 on the tokens of a row and 0 on padding.
 *
 * @param words whether each row keeps its words, for a head over its tokens
 * @throws ConfigurationError when the tokenizer cannot be built, or maxTokens leaves no room for a token.
 */
export function compileText(step: TextStep, files: StepFiles, place: StepPlace, words = false): CompiledStep {
  const { tokenizer, unknownId } = build(files, place);
  const specials = specialTokens(tokenizer);
  if (words) checkWords(step, tokenizer, specials.before, place);
  if (specials.before + specials.after >= step.maxTokens) {
    throw new ConfigurationError({
      code: "text-max-tokens",
      place: place(["maxTokens"]),
      problem: "no room for a token of the text",
      expected: `more than the ${specials.before + specials.after} special tokens`,
      received: String(step.maxTokens),
    });
  }
  if (typeof step.padTo === "number" && step.padTo < step.maxTokens) {
    throw new ConfigurationError({
      code: "text-pad-to",
      place: place(["padTo"]),
      problem: "padTo is shorter than maxTokens",
      expected: `at least ${step.maxTokens}`,
      received: String(step.padTo),
    });
  }
  const width = typeof step.padTo === "number" ? step.padTo : `tokens of ${step.field}`;
  /** The words that have a token that is not cut off come first; the others point past the end. */
  const wordsOf = (text: string): Word[] => {
    const found = wordTokens(tokenizer, text, specials.before);
    if (found === null) throw readsAcrossWords(step.field, text);
    const room = step.maxTokens - specials.after;
    return found.map((word) => (word.token < room ? word : { ...word, token: step.maxTokens }));
  };

  return {
    ...(unknownId === undefined ? {} : { unknownId }),
    shapes: { ids: [width], attention_mask: [width], token_type_ids: [width] },
    prepare(row) {
      let text = (step.prefix ?? "") + textIn(row, step.field, step);
      for (const name of step.append) {
        if ((fieldOf(row, name) ?? "") !== "") text += step.separator + textIn(row, name, step);
      }
      const encoding: { ids: (number | undefined)[]; token_type_ids?: number[] } = tokenizer.encode(text, {
        return_token_type_ids: true,
      });
      const ids = known(encoding.ids, unknownId, step.field);
      // A text without tokens (empty, or all dropped by the normalizer) gets one, so that there is something to attend
      // to.
      if (ids.length === 0)
        return {
          kind: "tokens",
          ids: [unknownId ?? step.padId],
          typeIds: [0],
          ...(words ? { words: { text, list: [] } } : {}),
        };
      // Only a post-processor gives type ids. Without one, a single text is all of type 0.
      const typeIds = encoding.token_type_ids ?? ids.map(() => 0);
      return {
        kind: "tokens",
        ids: truncate(ids, step.maxTokens, specials.after),
        typeIds: truncate(typeIds, step.maxTokens, specials.after),
        ...(ids.length > step.maxTokens ? { cut: ids.length } : {}),
        ...(words ? { words: { text, list: wordsOf(text) } } : {}),
      };
    },
    length: (prepared) => tokens(prepared).ids.length,
    collate(rows) {
      const all = rows.map(tokens);
      const columns =
        typeof step.padTo === "number" ? step.padTo : all.reduce((most, row) => Math.max(most, row.ids.length), 1);
      const dims = [rows.length, columns];
      const ids = new Int32Array(rows.length * columns).fill(step.padId);
      const mask = new Int32Array(ids.length);
      const types = new Int32Array(ids.length);
      all.forEach((row, i) => {
        ids.set(row.ids, i * columns);
        mask.fill(1, i * columns, i * columns + row.ids.length);
        types.set(row.typeIds, i * columns);
      });
      return { ids: { data: ids, dims }, attention_mask: { data: mask, dims }, token_type_ids: { data: types, dims } };
    },
  };
}

function textIn(row: Row, name: string, { maxCharacters }: TextStep): string {
  const text = fieldOf(row, name);
  if (text === undefined) throw missingField(row, name, "the text is missing", "a text");
  if (typeof text !== "string") throw new RowError(name, "not a text", "a text", text);
  if (text.length > maxCharacters)
    throw new RowError(name, "the text is too long", `at most ${maxCharacters} characters`, text, {
      shown: `${text.length} characters`,
    });
  return text;
}

/** Texts on which tokenizers that read across white space show it. */
const PROBES = ["Anna Berg lives in New York.", "the 3 cats, don't  run\tto\nPrague", "é ü 北京 x"];

/**
 * @throws ConfigurationError `text-words` for a step whose words are not those of one text, or whose tokenizer encodes a
 *   word differently alone than in its text
 */
function checkWords(step: TextStep, tokenizer: Tokenizer, before: number, place: StepPlace): void {
  const refuse = (path: string[], problem: string, expected: string, received: string, hint?: string) =>
    new ConfigurationError({
      code: "text-words",
      place: place(path),
      problem,
      expected,
      received,
      ...(hint === undefined ? {} : { hint }),
    });
  if (step.append.length > 0)
    throw refuse(
      ["append"],
      "spans are places in one text, and this step joins several",
      "`field` alone",
      step.append.join(", "),
    );
  if (step.prefix !== undefined)
    throw refuse(["prefix"], "spans are places in the row's own text", "no `prefix`", JSON.stringify(step.prefix));
  const strange = PROBES.find((text) => wordTokens(tokenizer, text, before) === null);
  if (strange !== undefined)
    throw refuse(
      ["tokenizer"],
      "this tokenizer encodes a word differently alone than in its text, so the words of its tokens are not known",
      "a tokenizer that splits at white space first, as WordPiece does",
      JSON.stringify(strange),
      "export the model with a WordPiece or word-level tokenizer, or label the words outside the graph",
    );
}

function readsAcrossWords(field: string, text: string): RowError {
  return new RowError(
    field,
    "the tokenizer reads this text otherwise than its words one by one, so the words of its tokens are not known",
    "a text whose words are encoded alike alone and together",
    text,
  );
}

/** The library gives no id to a word that a word-level vocabulary lacks. The unknown token's id replaces it. */
function known(ids: readonly (number | undefined)[], unknownId: number | undefined, field: string): readonly number[] {
  if (!ids.includes(undefined)) return ids as readonly number[];
  if (unknownId === undefined)
    throw new RowError(
      field,
      "the text has a word that the tokenizer does not know",
      "words of its vocabulary, or a tokenizer with an unknown token",
      undefined,
      { shown: `token ${ids.indexOf(undefined)}` },
    );
  return ids.map((id) => id ?? unknownId);
}

function truncate(ids: readonly number[], maxTokens: number, after: number): readonly number[] {
  if (ids.length <= maxTokens) return ids;
  return after === 0 ? ids.slice(0, maxTokens) : [...ids.slice(0, maxTokens - after), ...ids.slice(-after)];
}

/** How many special tokens the tokenizer puts before and after a text, found by encoding a short one. */
function specialTokens(tokenizer: Tokenizer): { before: number; after: number } {
  for (const probe of ["a", "the", "1", "."]) {
    const own: number[] = tokenizer.encode(probe, { add_special_tokens: false }).ids;
    const all: number[] = tokenizer.encode(probe).ids;
    if (own.length === 0) continue;
    for (let before = 0; before + own.length <= all.length; before++) {
      if (own.every((id, i) => all[before + i] === id)) return { before, after: all.length - before - own.length };
    }
  }
  return { before: 0, after: 0 };
}

function build(files: StepFiles, place: StepPlace): { tokenizer: Tokenizer; unknownId: number | undefined } {
  const definition = files.tokenizer as { model?: { unk_token?: unknown } } | undefined;
  try {
    if (definition === undefined) throw new Error("no tokenizer.json was read");
    const tokenizer = new Tokenizer(definition, files.tokenizerConfig ?? {});
    tokenizer.encode("a");
    const unknown = definition.model?.unk_token;
    return { tokenizer, unknownId: typeof unknown === "string" ? tokenizer.token_to_id(unknown) : undefined };
  } catch (error) {
    throw new ConfigurationError(
      {
        code: "tokenizer",
        place: place(["tokenizer"]),
        problem: "the tokenizer cannot be built",
        expected: "a Hugging Face tokenizer.json",
        received: String((error as Error).message).split("\n", 1)[0] ?? "",
        example: "tokenizer: tokenizer.json",
      },
      { cause: error },
    );
  }
}

function tokens(prepared: Prepared): Prepared & { kind: "tokens" } {
  if (prepared.kind !== "tokens") throw new TypeError(`a text step was given ${prepared.kind}`);
  return prepared;
}
