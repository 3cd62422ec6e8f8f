import type { GateEvent } from "../eval/gate/context.ts";
import type { Progress } from "./streams.ts";

/** Shows a gate's events on the progress line. */
export function showEvent(progress: Progress, event: GateEvent): void {
  if (event.kind === "stage") progress.stage(`${event.model}: ${event.stage}`);
  else if (event.kind === "progress") progress.step(`${event.model}: ${event.stage}`, event.done, event.total);
  else progress.note(event.text);
}
