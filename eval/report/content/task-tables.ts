import { entityTables } from "./entity-tables.ts";
import type { PlotData } from "./plot-data.ts";
import { rankingTables } from "./ranking-tables.ts";
import type { TaskTable } from "./task-table.ts";
import { textTables } from "./text-tables.ts";

/** A heading and tables for a head whose answers are rankings, entities or texts; null for other heads. */
export function taskTables({ candidate, baseline }: PlotData): { heading: string; tables: TaskTable[] } | null {
  switch (candidate.answers?.kind) {
    case undefined:
      return null;
    case "ranking":
      return { heading: "Rankings", tables: rankingTables(candidate, baseline) };
    case "spans":
      return { heading: "Entities", tables: entityTables(candidate, baseline) };
    case "text":
      return { heading: "Texts", tables: textTables(candidate, baseline) };
  }
}
