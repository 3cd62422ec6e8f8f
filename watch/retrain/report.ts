import type { RetrainOutcome } from "./retrain.ts";

const rowsOf = (count: number) => `${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"}`;

/** A text that others wrote, as text: it links nothing, mentions nobody, ends no block, and fits. */
export function quoted(text: string, most: number): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut
    .replace(/(?![\n\t])\p{Cc}/gu, "")
    .replace(/([\\`*_{}[\]()#+!|<>~])/g, "\\$1")
    .replaceAll("@", "@\u200b");
}

/** What a person reads about a training, without the model's name in a heading of its own. */
export function trainingMarkdown(outcome: RetrainOutcome): string {
  const { data, testRows, files, seconds, peakMemoryMb, folder } = outcome;
  const cost = [
    ...(seconds === null ? [] : [`${seconds.toFixed(1)} s`]),
    ...(peakMemoryMb === null || peakMemoryMb === 0 ? [] : [`${peakMemoryMb} MB at most`]),
  ].join(", ");
  return [
    `- Learnt from ${data.map(({ name, rows, sha256 }) => `\`${name.replaceAll("`", "")}\` (${rowsOf(rows)}, sha256 \`${sha256.slice(0, 12)}\`)`).join(", ")}`,
    `- None of the gate's ${rowsOf(testRows)} is among them, by file and by row`,
    `- Trained in a copy without history, without the gate's rows and without secrets${cost === "" ? "" : `: ${cost}`}`,
    ...(files.length === 0
      ? []
      : [`- Changed in \`${folder}\`: ${files.map((path) => `\`${path.replaceAll("`", "")}\``).join(", ")}`]),
  ].join("\n");
}

const heads: Record<RetrainOutcome["result"], (outcome: RetrainOutcome) => string> = {
  candidate: ({ model, from, version }) => `${model} ${version}: a candidate for ${from}`,
  same: ({ model, from }) => `${model} ${from}: trained again, and it answers as before`,
  current: ({ model, from }) => `${model} ${from}: nothing is new since its last training`,
};

export const headline = (outcome: RetrainOutcome): string => heads[outcome.result](outcome);
