import type { Row } from "../../../models/core/row.ts";
import { redact } from "./redact.ts";
import type { Serving } from "./context.ts";

const MOST_LOGGED_ROWS = 20;
const MOST_CHARACTERS = 2000;

/** Input content reaches the log only when the settings say so, and then redacted. */
export function logRows(
  serving: Pick<Serving, "settings" | "log">,
  requestId: string,
  model: string,
  rows: readonly Row[],
): void {
  if (!serving.settings.logInputs) return;
  const shown = rows.slice(0, MOST_LOGGED_ROWS).map((row) => redact(JSON.stringify(row)).slice(0, MOST_CHARACTERS));
  serving.log.info({ requestId, model, rows: rows.length, input: shown }, "input");
}
