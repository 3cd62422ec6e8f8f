import { endGroup, info, startGroup } from "@actions/core";
import type { GateEvent } from "../../eval/gate.ts";

/** A line of progress at most this often: a job log is read afterwards, not watched. */
const progressEveryMs = 10_000;

/**
 * Text from a repository under judgement, made safe to print: the runner obeys lines that start with "::" and "##[".
 */
export function escapeWorkflowCommands(text: string): string {
  return text.replace(/^(\s*):(?=:)/gm, "$1: ").replaceAll("##[", "## [");
}

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
          info(escapeWorkflowCommands(event.stage));
          break;
        case "progress":
          if (now() - lastProgress < progressEveryMs) break;
          lastProgress = now();
          open(event.model);
          info(escapeWorkflowCommands(`${event.stage}: ${event.done} of ${event.total}`));
          break;
        case "note":
          info(escapeWorkflowCommands(event.text));
          break;
      }
    },
    close() {
      if (group !== null) endGroup();
      group = null;
    },
  };
}
