import type { Row } from "../../../models/core/row.ts";
import { redact } from "./redact.ts";
import type { Serving } from "./context.ts";

const MAX_LOGGED_ROWS = 20;
const MAX_CHARACTERS = 2000;

/** Logs input rows, redacted, and only if the settings allow it. */
export function logRows(
  serving: Pick<Serving, "settings" | "log">,
  requestId: string,
  model: string,
  rows: readonly Row[],
): void {
  if (!serving.settings.logInputs) return;
  const shown = rows.slice(0, MAX_LOGGED_ROWS).map((row) => redact(JSON.stringify(row)).slice(0, MAX_CHARACTERS));
  serving.log.info({ requestId, model, rows: rows.length, input: shown }, "input");
}
