import { htmlText } from "../../../eval/report/text/escape-html.ts";
import { cut, oneLine } from "../../../eval/report/text/text.ts";

// Pictures are looked at on a phone, where 1280 pixels are a hand's width: few things, and large.

export const width = 1280;
export const margin = 48;

const colours = {
  text: "#1f2937",
  faint: "#6b7280",
  grid: "#e5e7eb",
  gate: "#94a3b8",
  live: "#c2410c",
  PASS: "#15803d",
  FAIL: "#b91c1c",
  ERROR: "#b91c1c",
  INCONCLUSIVE: "#a16207",
  INCOMPARABLE: "#a16207",
} as const;
export type Colour = keyof typeof colours;

/** Of the average character of the fonts that machines have, by the size of the letters. */
const widthOfCharacter = 0.58;

type TextOptions = { size?: number; colour?: Colour; anchor?: "start" | "middle" | "end"; bold?: boolean };

/** One line of outside text, cut to what fits. @param most pixels */
export function text(content: string, x: number, y: number, most: number, options: TextOptions = {}): string {
  const { size = 30, colour = "text", anchor = "start", bold = false } = options;
  const fits = Math.max(1, Math.floor(most / (size * widthOfCharacter * (bold ? 1.08 : 1))));
  return `<text x="${n(x)}" y="${n(y)}" font-size="${size}" text-anchor="${anchor}" fill="${colours[colour]}"${bold ? ' font-weight="700"' : ""}>${htmlText(cut(oneLine(content), fits))}</text>`;
}

/** @returns the outside text in at most `lines` lines; the last one is cut */
export function wrapped(content: string, most: number, lines: number, size = 30): string[] {
  const fits = Math.max(8, Math.floor(most / (size * widthOfCharacter)));
  const found: string[] = [];
  let line = "";
  for (const word of oneLine(content).split(" ")) {
    if (line !== "" && line.length + word.length >= fits) {
      found.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  if (line !== "") found.push(line);
  if (found.length <= lines) return found;
  return [...found.slice(0, lines - 1), cut(found.slice(lines - 1).join(" "), fits)];
}

export const rect = (x: number, y: number, w: number, h: number, colour: Colour): string =>
  `<rect x="${n(x)}" y="${n(y)}" width="${n(Math.max(0, w))}" height="${n(Math.max(0, h))}" fill="${colours[colour]}"/>`;

export function line(
  points: readonly (readonly [number, number])[],
  colour: Colour,
  thick = 3,
  dashed = false,
): string {
  const path = points.map(([x, y]) => `${n(x)},${n(y)}`).join(" ");
  return `<polyline points="${path}" fill="none" stroke="${colours[colour]}" stroke-width="${thick}" stroke-linejoin="round"${dashed ? ' stroke-dasharray="10 8"' : ""}/>`;
}

export const dot = (x: number, y: number, colour: Colour, radius = 9): string =>
  `<circle cx="${n(x)}" cy="${n(y)}" r="${radius}" fill="${colours[colour]}"/>`;

/** A title with a bar of the verdict's colour, and what is below it. @param height of all */
export function page(title: string, sign: Colour, height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${n(height)}" viewBox="0 0 ${width} ${n(height)}" font-family="DejaVu Sans, Noto Sans, Liberation Sans, Arial, sans-serif"><rect width="100%" height="100%" fill="#ffffff"/>${rect(0, 0, width, 14, sign)}${text(title, margin, 78, width - 2 * margin, { size: 42, bold: true, colour: sign === "gate" ? "text" : sign })}${parts.join("")}</svg>`;
}

const n = (value: number): string => String(Math.round(value * 10) / 10);
