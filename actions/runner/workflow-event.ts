import { context } from "@actions/github";

/** The event that started the workflow. `payload` is GitHub's, as the runner wrote it down: any JSON. */
export type WorkflowEvent = { name: string; payload: unknown; sha: string; ref: string };

/** What @actions/github read from this process's environment when it was loaded. */
export const workflowEvent: WorkflowEvent = {
  // They are typed as texts, and undefined outside a workflow.
  name: (context.eventName as string | undefined) ?? "",
  payload: context.payload,
  sha: (context.sha as string | undefined) ?? "",
  ref: (context.ref as string | undefined) ?? "",
};
