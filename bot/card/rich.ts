import type { InputRichBlock, InputRichMessage, RichBlockTableCell, RichText } from "@grammyjs/types";
import type { InputFile } from "../telegram/payload.ts";
import type { ShownCheck } from "./deciding-checks.ts";
import type { CardParts } from "./parts.ts";

type Block = InputRichBlock<InputFile>;

const cell = (text: RichText, change: Partial<RichBlockTableCell> = {}): RichBlockTableCell => ({
  text,
  align: "left",
  valign: "top",
  ...change,
});
const header = { is_header: true } as const;

/** Two rows for each check, because a phone is narrow: the verdict and the rule, then the figures in three columns. */
function checkRows({ name, verdict, rule, observed, baseline, difference }: ShownCheck): RichBlockTableCell[][] {
  return [
    [cell([{ type: "bold", text: `${verdict} ${name}` }, `: ${rule}`], { colspan: 3 })],
    [cell(observed), cell(baseline), cell(difference === "" ? "—" : difference)],
  ];
}

/**
 * The card as blocks of Bot API 10, with a table instead of <pre>. The table is folded once the gate has passed and the
 * deployment has begun. Blocks are data, so nothing is escaped. Detection of mentions and links is switched off.
 */
export function richCard({
  settled,
  sign,
  name,
  headline,
  progress,
  explanation,
  baseline,
  verdict,
  checks,
  summary,
  latency,
  origin,
}: CardParts): InputRichMessage<InputFile> {
  const paragraph = (text: RichText): Block => ({ type: "paragraph", text });
  const table: Block = {
    type: "table",
    is_bordered: true,
    is_compact: true,
    cells: [["candidate", "baseline", "difference"].map((text) => cell(text, header)), ...checks.flatMap(checkRows)],
  };
  const facts = [
    ...(latency === null ? [] : [`Latency: ${latency} of the baseline`]),
    ...(baseline === null ? [] : [`Baseline: ${baseline}`]),
  ];
  return {
    skip_entity_detection: true,
    blocks: [
      { type: "heading", size: 4, text: `${sign} ${name}: ${headline}` },
      ...(progress === "" ? [] : [paragraph(progress)]),
      ...explanation.map((line) => paragraph({ type: "italic", text: line })),
      ...(verdict === null ? [] : [paragraph(["Verdict: ", { type: "bold", text: verdict }])]),
      ...(settled && checks.length > 0 && summary !== null
        ? [{ type: "details", summary, blocks: [table] } as Block]
        : [...(checks.length === 0 ? [] : [table]), ...(summary === null ? [] : [paragraph(summary)])]),
      ...facts.map(paragraph),
      ...(origin.length === 0 ? [] : [{ type: "footer", text: origin.join(" · ") } as Block]),
    ],
  };
}
