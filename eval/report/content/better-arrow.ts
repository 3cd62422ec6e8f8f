import { catalog } from "../../metrics/catalog.ts";
import type { MetricName } from "../../../models/core/manifest/gates.ts";
import type { Check } from "../../schema/verdict.ts";
import { type Glyphs, unicode } from "../text/glyphs.ts";

/** Which way a metric is better; nothing where closeness to a value is, such as for the coverage of intervals. */
export function betterArrow(
  { metric, direction }: { metric: MetricName; direction: Check["direction"] },
  glyphs: Glyphs = unicode,
): string {
  return catalog.get(metric)?.closeness === true ? "" : glyphs[direction];
}
