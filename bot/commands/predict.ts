import { commandButton } from "../context/reply.ts";
import { safe } from "../context/text.ts";
import { askModel, askPrediction, type Answer, type Prediction, type SpaceModel } from "../spaces/ask.ts";
import { headDifference, headWords } from "./head-words.ts";
import { askForModel, matchName, modelIds, usage, type Command } from "./command.ts";

const maxInputLength = 4096;

export const predict: Command = {
  name: "predict",
  usage: '/predict MODEL TEXT | {"field": value} | field=value …',
  about: "ask the candidate and the live version, side by side",
  async run({ services: { bot, spaces }, args, payload, acknowledge }) {
    const ids = modelIds(bot);
    const id = matchName(args[0], ids);
    if (id === null)
      return askForModel(
        predict,
        args[0],
        "Which model?",
        ids.map((one) => `/predict ${one}`),
      );
    const { live, candidate } = bot.models.find((one) => one.id === id) as (typeof bot.models)[number];
    const places = (
      [
        ["candidate", candidate],
        ["live", live],
      ] as const
    ).filter((one): one is [(typeof one)[0], string] => one[1] !== undefined);
    if (places.length === 0)
      return { html: `<b>${safe(id)}</b> has no Space in bot.yaml: set <code>live</code> and <code>candidate</code>.` };
    acknowledge(`⏳ Asking ${places.map(([name]) => name).join(" and ")} of ${safe(id)}…`);

    const cards = await Promise.all(places.map(([, url]) => askModel(spaces, url, id)));
    const card = cards.find((one) => one.ok)?.value;
    const input = payload.slice(payload.indexOf(args[0] as string) + (args[0] as string).length).trim();
    const examples = (card?.input?.examples ?? []).slice(0, 3);
    if (input === "")
      return {
        ...usage(predict, `What should ${safe(id)} say something about?`),
        buttons: examples.map((row) => [commandButton(`/predict ${id} ${JSON.stringify(row)}`, label(row))]),
      };
    if (input.length > maxInputLength)
      return usage(predict, `The input is too long: at most ${maxInputLength} characters.`);
    const row = readRow(input, card);
    if (typeof row === "string") return usage(predict, safe(row, 200));

    const answers = await Promise.all(places.map(([, url]) => askPrediction(spaces, url, id, row)));
    const lines = answers.map((answer, i) => `<b>${(places[i] as [string, string])[0]}</b> ${predictionText(answer)}`);
    return {
      html: [
        `<b>${safe(id)}</b> says of <code>${safe(JSON.stringify(row), 200)}</code>`,
        ...lines,
        ...difference(answers),
      ].join("\n"),
      buttons: [[commandButton(`/predict ${id} ${input}`, "Again")]],
    };
  },
};

function label(row: Record<string, unknown>): string {
  return (
    Object.values(row)
      .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
      .join(", ")
      .slice(0, 40) || "example"
  );
}

/** The row to predict, or a sentence that says why it cannot be read. */
export function readRow(input: string, card: SpaceModel | undefined): Record<string, unknown> | string {
  if (input.startsWith("{")) {
    try {
      const row = JSON.parse(input) as unknown;
      return typeof row === "object" && row !== null && !Array.isArray(row)
        ? (row as Record<string, unknown>)
        : "The row must be one JSON object.";
    } catch {
      return "That is not JSON.";
    }
  }
  const fields = Object.entries(card?.input?.schema?.properties ?? {});
  const pairs = readPairs(
    input,
    fields.map(([name]) => name),
  );
  if (pairs !== null)
    return Object.fromEntries(
      pairs.map(([name, value]) => [name, valueOf(value, card?.input?.schema?.properties[name]?.type)]),
    );
  const texts = fields.filter(([, { type }]) => type === "string");
  if (fields.length === 1 && texts.length === 1) return { [(texts[0] as [string, unknown])[0]]: input };
  return fields.length === 0
    ? "Neither Space tells what this model takes; give the row as JSON."
    : `This model takes ${fields.map(([name]) => name).join(", ")}: give them as name=value or as JSON.`;
}

/**
 * The fields of "km=3 from=the old port": a value goes on until the next name that the model knows, and may stand in
 * double quotes. Null if the input does not begin with a field.
 */
function readPairs(input: string, names: readonly string[]): (readonly [string, string])[] | null {
  const isName = (name: string) => names.includes(name);
  const starts = [...input.matchAll(/(?:^|\s)([A-Za-z_][\w-]*)=/g)].filter(([, name]) => isName(name as string));
  if (starts[0]?.index !== 0) return null;
  return starts.map((start, i) => {
    const value = input.slice(start.index + start[0].length, starts[i + 1]?.index ?? input.length).trim();
    return [start[1] as string, /^"[^"]*"$/.test(value) ? value.slice(1, -1) : value] as const;
  });
}

/** @param type what the model's schema says; a text stays a text even if it looks like a number */
function valueOf(text: string, type: string | undefined): unknown {
  if (type === "string") return text;
  if (/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text)) return Number(text);
  return text === "true" ? true : text === "false" ? false : text;
}

function predictionText(answer: Answer<Prediction>): string {
  if (!answer.ok) return `🔴 ${safe(answer.why, 200)}`;
  const heads = Object.entries(answer.value.heads)
    .slice(0, 5)
    .map(([name, head]) => `${safe(name, 30)}: ${headWords(head)}`);
  return `${answer.value.version === undefined ? "" : `${safe(answer.value.version, 40)} `}(${Math.round(answer.ms)} ms): <b>${heads.join("; ")}</b>`;
}

function difference([candidate, live]: readonly Answer<Prediction>[]): string[] {
  if (candidate?.ok !== true || live?.ok !== true) return [];
  const words = Object.entries(candidate.value.heads).flatMap(([name, now]) => {
    const before = live.value.heads[name];
    if (before === undefined) return [];
    const change = headDifference(now, before);
    return change === null ? [] : [`${safe(name, 30)}: ${change}`];
  });
  return words.length === 0 ? [] : [`candidate − live: ${words.join("; ")}`];
}
