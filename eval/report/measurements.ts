import type { Measurement, MetricsFile } from "../schema/metrics.ts";
import { byteUnit, counted, decimalsFor, fixed, percent, significant } from "./text/format.ts";
import { ascii, type Glyphs, unicode } from "./text/glyphs.ts";
import { measurementLabel } from "./content/measurement-label.ts";
import { shownSignature } from "./content/signature.ts";
import { type Column, renderTable, type Row, wrap } from "./terminal-table.ts";
import { cut, oneLine } from "./text/text.ts";

/**
 * Every metric of every model with its interval, for a terminal, without verdict and colour. An undefined metric shows
 * the reason. No line is wider than `width` (clamped to 80 … 140).
 */
export function renderMeasurements(metrics: MetricsFile, options: { width: number; plain?: boolean }): string {
  const glyphs = options.plain === true ? ascii : unicode;
  const width = Math.min(140, Math.max(80, Math.floor(options.width)));
  const columns: Column[] = [
    { head: "metric", flexible: true },
    { head: "slice", flexible: true },
    { head: "value", align: "right" },
    { head: "interval" },
    { head: "rows", align: "right" },
  ];
  return metrics.models
    .map((one) => {
      const levels = [
        ...new Set(
          one.measurements.flatMap(({ result }) =>
            result.status === "ok" && result.interval !== null ? [percent(result.interval.level)] : [],
          ),
        ),
      ];
      const title = [
        `${cut(oneLine(one.model.id), 60, glyphs.ellipsis)} ${glyphs.dot} ${one.model.task} ${glyphs.dot} ${counted(one.dataset.rows, "row")}`,
        ...(levels.length === 0
          ? []
          : [`${levels.join(", ")} intervals (a gate shows those of its alpha, 90% by default)`]),
      ].join(` ${glyphs.dot} `);
      return `${wrap(title, width).join("\n")}\n\n${renderTable(
        columns,
        one.measurements.map((measurement) => measurementRow(measurement, glyphs)),
        width,
        glyphs,
      )}`;
    })
    .join("\n\n");
}

function measurementRow(measurement: Measurement, glyphs: Glyphs): Row {
  const { result, direction, metric, slice } = measurement;
  const { factor, unit } =
    measurement.unit === "bytes" && result.status === "ok"
      ? byteUnit(result.value)
      : { factor: 1, unit: measurement.unit };
  const shownUnit = unit === "" || metric.endsWith(`_${unit}`) ? "" : ` (${cut(oneLine(unit), 20, glyphs.ellipsis)})`;
  const name = `${oneLine(measurementLabel(measurement))} ${direction === "higher" ? glyphs.higher : glyphs.lower}${shownUnit}`;
  const place = [name, cut(oneLine(slice), 60, glyphs.ellipsis)];
  if (result.status === "undefined")
    return {
      cells: [...place, "undefined", "", String(result.n)],
      below: cut(oneLine(result.reason), 300, glyphs.ellipsis),
    };
  const signature = shownSignature(measurement);
  const signed = signature === null ? {} : { below: oneLine(signature) };
  if (result.interval === null)
    return { cells: [...place, significant(result.value / factor, 4, glyphs), "", String(result.n)], ...signed };
  const { low, high } = result.interval;
  const decimals = Math.min(
    6,
    Math.max(decimalsFor((high - low) / 2 / factor, 2), unit === "" && Math.abs(result.value) <= 1 ? 4 : 0),
  );
  const formatValue = (value: number) => fixed(value / factor, decimals, glyphs);
  return {
    cells: [...place, formatValue(result.value), `[${formatValue(low)}, ${formatValue(high)}]`, String(result.n)],
    ...signed,
  };
}
