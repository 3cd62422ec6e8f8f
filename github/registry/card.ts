import { createHash } from "node:crypto";
import { z } from "zod";

// Where a card's record is stored, and in what format: in a comment on the pull request, or in the description of a
// Deployment's status. actions/notify writes it and the bot reads it. This is the only connection between the two.

/**
 * The record of a card: its message, the message that made the sound for it, the tone that people last saw, and its
 * links.
 */
const remembered = z.object({
  message: z.int().positive(),
  ring: z.int().positive().nullable(),
  tone: z.enum(["pending", "green", "attention", "red"]),
  /** Unix time of the last edit in ms. The bot sees from it that an edit has removed its buttons. */
  edited: z.int().nonnegative().default(0),
  /** The card's row of links. An edit of the buttons must repeat them, because Telegram does not tell what is there. */
  links: z
    .array(z.strictObject({ text: z.string().max(40), url: z.string().max(1000) }))
    .max(8)
    .default([]),
});
export type Remembered = z.infer<typeof remembered>;

const cards = z.record(z.string().max(64), remembered);

/** Chat and topic as a short digest: a comment may be public, a chat's id need not be. */
export function placeDigest(chat: string | number, topic: number | null): string {
  return createHash("sha256")
    .update(`${chat}/${topic ?? ""}`)
    .digest("hex")
    .slice(0, 12);
}

/** A model's id as a key that is harmless inside an HTML comment. */
export function cardKey(model: string): string {
  return model.replace(/[^\w.-]/g, "_").slice(0, 64);
}

const start = (place: string) => `<!-- sluice-card chat=${place} cards=`;

/** The cards of one place that are recorded in a comment, by cardKey; null if the comment is about something else. */
export function readComment(body: string, place: string): Record<string, Remembered> | null {
  if (!body.startsWith(start(place))) return null;
  const json = /^(\{.*\}) -->/.exec(body.slice(start(place).length))?.[1] ?? "{}";
  try {
    return cards.parse(JSON.parse(json));
  } catch {
    return {};
  }
}

export function writeComment(place: string, all: Readonly<Record<string, Remembered>>): string {
  const names = Object.keys(all)
    .map((name) => `\`${name}\``)
    .join(", ");
  return `${start(place)}${JSON.stringify(all).replaceAll(">", "\\u003e")} -->\nThe ${Object.keys(all).length === 1 ? "card" : "cards"} of ${names} in the team's Telegram chat.`;
}

const head = (place: string, model: string) =>
  `Telegram card ${place} ${createHash("sha256").update(model).digest("hex").slice(0, 8)}:`;

/**
 * The parts of a Deployment's status that record a card. Its URLs hold the card's links, because the 140 characters of
 * the description have no room for them.
 */
export type Described = { description: string; logUrl: string; environmentUrl: string };

export function readDescription(
  { description, logUrl, environmentUrl }: Described,
  place: string,
  model: string,
): Remembered | null {
  if (!description.startsWith(head(place, model))) return null;
  const [message, ring, tone, edited = "0"] = description.slice(head(place, model).length).trim().split(" ");
  const links = [
    ...(logUrl === "" ? [] : [{ text: "Run", url: logUrl }]),
    ...(environmentUrl === "" ? [] : [{ text: "Space", url: environmentUrl }]),
  ];
  const parsed = remembered.safeParse({
    message: Number(message),
    ring: ring === "0" ? null : Number(ring),
    tone,
    edited: Number(edited),
    links,
  });
  return parsed.success ? parsed.data : null;
}

export function writeDescription(place: string, model: string, { message, ring, tone, edited }: Remembered): string {
  return `${head(place, model)} ${message} ${ring ?? 0} ${tone} ${edited}`;
}
