import { z } from "zod";
import { isTrue, namesIn, orNull } from "../../github/action-input.ts";
import { phases } from "../card/state.ts";

/**
 * The inputs of actions/notify: type, default, description and validator in one place. A test compares action.yml and
 * the table in docs/actions-notify.md with it. The runner passes every input as text.
 */
export const notifyInputs = z.strictObject({
  token: z
    .string()
    .prefault("")
    .transform(orNull)
    .describe(
      "The bot's token, from a secret. Empty (as in a fork's pull request): TELEGRAM_BOT_TOKEN; without that either, nothing is sent and the step summary says so.",
    ),
  chat: z
    .string()
    .regex(/^(-?\d{1,20}|@\w{4,64})?$/, "a numeric chat id or @channelname")
    .prefault("")
    .transform(orNull)
    .describe("Where the card goes: the chat's numeric id, or @name of a public channel. Empty: TELEGRAM_CHAT_ID."),
  topic: z
    .string()
    .regex(/^\d{0,15}$/, "a number")
    .prefault("")
    .transform((text) => (text === "" ? null : Number(text)))
    .describe("message_thread_id of a topic in a forum group."),
  "api-root": z
    .string()
    .regex(/^(https?:\/\/\S+)?$/, "an http(s) address")
    .prefault("")
    .transform(orNull)
    .describe("Address of the Bot API. Empty: TELEGRAM_API_ROOT, then https://api.telegram.org."),
  models: z
    .string()
    .prefault("")
    .transform(namesIn)
    .describe(
      "Models whose cards are meant, as ID or ID@VERSION. Needed only while there is no verdict yet; with a verdict, a choice among its models; one that it lacks is an ERROR.",
    ),
  verdict: z.string().prefault("").transform(orNull).describe("The gate's verdict.json, relative to the workspace."),
  deployment: z
    .string()
    .prefault("")
    .transform(orNull)
    .describe("The deploy action's deployment.json, relative to the workspace: the receipt of what became of it."),
  phase: z
    .enum(["auto", ...phases])
    .prefault("auto")
    .describe("Where the candidate stands. auto: what deployment says, else the verdict, else evaluating."),
  when: z
    .enum(["always", "change", "failure"])
    .prefault("always")
    .describe(
      "always: keep the card current. change: only when a candidate turns red, needs somebody or is well again. failure: only what is red, and its recovery.",
    ),
  "fail-on-error": z
    .enum(["true", "false"])
    .prefault("false")
    .transform(isTrue)
    .describe(
      "Fail the step when the card could not be delivered. By default that is a warning: a message must never stop a deployment.",
    ),
  "dry-run": z.enum(["true", "false"]).prefault("false").transform(isTrue).describe("Print the card and send nothing."),
  "github-token": z
    .string()
    .prefault("${{ github.token }}")
    .transform((text) => (text === "" || text.startsWith("${{") ? null : text))
    .describe(
      "Finds the card again in later jobs and runs: pull-requests: write (a comment on the pull request) or deployments: write (a status of the Deployment). Without it every run posts a new card.",
    ),
});
export type NotifyInputs = z.infer<typeof notifyInputs>;

/** Outputs of actions/notify, by name. */
export const notifyOutputs = {
  status:
    "sent, edited, resent, unchanged (nothing that `when` asks for), dry-run, skipped (no token, no chat or no model) or failed; the worst of all cards.",
  message: "message_id of the first card; empty when there is none.",
  result: "One line of JSON with schemaVersion: per model the status, message_id, form and tone, and what went wrong.",
} as const;
