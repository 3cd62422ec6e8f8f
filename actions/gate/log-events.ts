import { endGroup, startGroup } from "@actions/core";
import type { GateEvent } from "../../eval/gate.ts";
import { escapeWorkflowCommands, logLine } from "../runner/log.ts";

/** The minimum time between progress lines. A job log is read afterwards, so few are enough. */
const progressEveryMs = 10_000;

/** Writes the gate's events to the job log, one collapsible group per model. */
export function logEvents(now: () => number): { onEvent: (event: GateEvent) => void; close: () => void } {
  let group: string | null = null;
  let lastProgress = 0;
  const open = (model: string) => {
    if (group === model) return;
    if (group !== null) endGroup();
    startGroup(escapeWorkflowCommands(model));
    group = model;
  };
  return {
    onEvent(event) {
      switch (event.kind) {
        case "stage":
          open(event.model);
          lastProgress = now();
          logLine(event.stage);
          break;
        case "progress":
          if (now() - lastProgress < progressEveryMs) break;
          lastProgress = now();
          open(event.model);
          logLine(`${event.stage}: ${event.done} of ${event.total}`);
          break;
        case "note":
          logLine(event.text);
          break;
      }
    },
    close() {
      if (group !== null) endGroup();
      group = null;
    },
  };
}
