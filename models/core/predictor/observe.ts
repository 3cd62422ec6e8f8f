import { RowError, type Row } from "../row.ts";
import type { DirectPipeline } from "./direct.ts";
import type { FoundFeatures, Pipeline } from "./pipeline.ts";

/** Of which rows of a call the features are read as well, and where they go. They are those that the graph gets. */
export type Observe = { wants: (index: number) => boolean; take: (index: number, features: Float64Array) => void };

/** The features of one row, as a profile counts them; null for a row that cannot be used. */
export async function featuresOfRow(
  pipeline: Pipeline,
  row: Row,
  found: FoundFeatures | null,
  index: number,
): Promise<Float64Array | null> {
  try {
    const refused = found?.error(index);
    return refused === undefined ? pipeline.observe(await pipeline.prepare(row, found?.at(index))) : null;
  } catch (error) {
    if (!(error instanceof RowError)) throw error;
    return null;
  }
}

/** The fast path keeps nothing of a row, so the few that are looked at are prepared once more. */
export function observeDirect(
  pipeline: Pipeline,
  direct: DirectPipeline,
  rows: readonly Row[],
  found: FoundFeatures | null,
  { wants, take }: Observe,
): void {
  for (let index = 0; index < rows.length; index++) {
    if (!wants(index) || found?.error(index) !== undefined) continue;
    const row = rows[index]!;
    try {
      take(index, pipeline.observe({ row, steps: direct.prepare(row, found?.at(index)) }));
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
    }
  }
}
