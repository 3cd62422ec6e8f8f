import { context } from "@actions/github";

/** The event that started the workflow. `payload` is the JSON that the runner stored, unchecked. */
export type WorkflowEvent = { name: string; payload: unknown; sha: string; ref: string };

/** The event that @actions/github read from this process's environment when it was loaded. */
export const workflowEvent: WorkflowEvent = {
  // These are typed as strings but undefined outside a workflow.
  name: (context.eventName as string | undefined) ?? "",
  payload: context.payload,
  sha: (context.sha as string | undefined) ?? "",
  ref: (context.ref as string | undefined) ?? "",
};
