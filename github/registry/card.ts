import { createHash } from "node:crypto";
import { z } from "zod";

// Where a card is remembered, and in which words: a comment on the pull request, or the description of a Deployment's
// status. actions/notify writes it, the bot reads it; there is no other thread between the two.

/**
 * What others must know of a card: its message, the message that rang for it, how red people last saw it, its links.
 */
const remembered = z.object({
  message: z.int().positive(),
  ring: z.int().positive().nullable(),
  tone: z.enum(["pending", "green", "attention", "red"]),
  /** Unix time of the last edit, ms: whoever adds buttons sees from it that an edit has taken them away. */
  edited: z.int().nonnegative().default(0),
  /** The card's row of links; an edit of the buttons must give them again, for Telegram tells nobody what is there. */
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

/** The cards of one place that a comment remembers, by cardKey; null where the comment is about something else. */
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
 * A Deployment's status, as much of it as remembers a card. Its addresses are the card's links: 140 characters hold no
 * more.
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
