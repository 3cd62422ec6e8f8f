import fc from "fast-check";
import { phases, type CardState } from "../../../bot/card/state.ts";
import { hostileText, hostileVerdict } from "../../eval/report/hostile.ts";

/**
 * Text that is difficult for Telegram in particular: tags, entities, commands, direction marks, emoji families, stacked
 * accents.
 */
const shards = [
  "<b>",
  "</b>",
  "</pre>",
  "<pre>",
  '<a href="https://evil.example">',
  "<tg-spoiler>",
  "&amp;",
  "&#x110000;",
  "&#55296;",
  "&lt",
  "\u0000",
  "/start@bot",
  "@everyone",
  "#tag",
  "https://evil.example",
  "tg://user?id=1",
  "\u202e",
  "\u2066",
  "שלום",
  "مرحبا",
  "👩‍👩‍👧‍👦",
  "🏴󠁧󠁢󠁳󠁣󠁴󠁿",
  "🇪🇺",
  "\ud83d",
  "\ude00",
  "e\u0301\u0302\u0303",
  "\u200d",
  "\u00ad",
  "\n\n",
  "\t",
  "\u2028",
  "𝕏",
];
const piece = fc.oneof(fc.constantFrom(...shards), hostileText, fc.string({ unit: "binary", maxLength: 20 }));
/** Sometimes 100 kB, like a pasted log. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 30, arbitrary: fc.array(piece, { maxLength: 10 }).map((parts) => parts.join("")) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(piece, fc.integer({ min: 1, max: 100_000 }))
      .map(([part, length]) => part.repeat(Math.ceil(length / Math.max(1, part.length))).slice(0, length)),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5000 }).map((n) => `a${"\u0301".repeat(n)}`) },
);
const maybe = (arbitrary: fc.Arbitrary<string>) => fc.option(arbitrary, { nil: null });

export const anyCard: fc.Arbitrary<CardState> = fc
  .record({
    id: anyText,
    version: anyText,
    phase: fc.constantFrom(...phases),
    file: fc.option(hostileVerdict, { nil: null }),
    environment: maybe(anyText),
    reason: maybe(anyText),
    restored: maybe(anyText),
    commit: maybe(anyText),
    actor: maybe(anyText),
    repository: maybe(anyText),
    pullRequest: fc.option(fc.integer({ min: 1 }), { nil: null }),
    link: maybe(fc.oneof(anyText, fc.webUrl())),
  })
  .map(({ id, version, file, link, ...rest }) => ({
    ...rest,
    model: { id, version },
    verdict: file?.models[0] ?? null,
    links: { run: link, report: link, space: "https://octo-mood.hf.space", pullRequest: link, commit: link },
  }));
