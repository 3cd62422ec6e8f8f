import type { CalibratedCheck, CalibrationFile, ModelCalibration } from "../schema/calibration.ts";
import { counted, percent, significant } from "./text/format.ts";
import { ascii, type Glyphs, unicode } from "./text/glyphs.ts";
import { type Column, renderTable, wrap } from "./terminal-table.ts";
import { cut, oneLine } from "./text/text.ts";

/** False-alarm rates of A/A gates, for a terminal. No line is wider than `width` (clamped to 80 … 140). */
export function renderCalibration(file: CalibrationFile, options: { width: number; plain?: boolean }): string {
  const glyphs = options.plain === true ? ascii : unicode;
  const width = Math.min(140, Math.max(80, Math.floor(options.width)));
  return `${file.models.map((model) => renderModel(model, file.wantedRate, width, glyphs)).join("\n\n")}\n`;
}

function renderModel(model: ModelCalibration, wantedRate: number, width: number, glyphs: Glyphs): string {
  const title = `${oneLine(model.model)} ${oneLine(model.candidate)}${model.baseline === null ? "" : ` against ${oneLine(model.baseline)}`}`;
  const lines = (text: string) =>
    wrap(text, width - 1)
      .map((line) => ` ${line}`)
      .join("\n");
  if (model.notPass === null || model.fail === null)
    return `${title}\n\n${lines(`No A/A gates: ${oneLine(model.why)}.`)}`;
  const columns: Column[] = [
    { head: "metric", flexible: true },
    { head: "slice", flexible: true },
    { head: "margin", align: "right" },
    { head: "false red", align: "right" },
    { head: "false FAIL", align: "right" },
    { head: `margin for\n${percent(wantedRate)} false red`, align: "right" },
  ];
  const rows = model.checks.map((check) => ({
    cells: [
      oneLine(check.metric),
      cut(oneLine(check.slice), 60, glyphs.ellipsis),
      inScale(check.margin, check, glyphs),
      share(check.notPass),
      share(check.fail),
      inScale(check.holdingMargin, check, glyphs),
    ],
  }));
  return `${title}\n\n${renderTable(columns, rows, width, glyphs)}\n\n${lines(`${counted(model.gates, "A/A gate")}: ${share(model.notPass)} are not PASS, ${share(model.fail)} are FAIL (95% intervals). ${oneLine(model.why)}.`)}`;
}

function inScale(value: number | null, { scale }: CalibratedCheck, glyphs: Glyphs): string {
  if (value === null) return glyphs.dash;
  return scale === "relative" ? `${significant(100 * value, 2, glyphs)}%` : significant(value, 2, glyphs);
}

function share({ rate, low, high }: CalibratedCheck["notPass"]): string {
  const formatValue = (value: number) => (100 * value).toFixed(1);
  return `${formatValue(rate)}% [${formatValue(low)}, ${formatValue(high)}]`;
}
