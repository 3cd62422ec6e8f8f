import { TelegramError } from "telegraf";

/**
 * What a failed call means for the caller.
 *
 * - not-modified: the message already reads like this
 * - message-gone, topic-gone, chat-gone, chat-migrated: the address does not exist, or no longer exists
 * - content: Telegram refuses this text, caption, button or file
 * - method: this Bot API server lacks the method
 * - token: it is wrong or revoked
 * - rate: Telegram asked for a longer pause than we allow
 * - conflict: another poller is running, or a webhook is set
 * - server: Telegram answered 5xx
 * - unreachable: the call never arrived
 * - unsure: the call may have arrived
 * - aborted: the caller gave up
 */
export type FailureKind =
  | "not-modified"
  | "message-gone"
  | "topic-gone"
  | "chat-gone"
  | "chat-migrated"
  | "content"
  | "method"
  | "token"
  | "rate"
  | "conflict"
  | "server"
  | "unreachable"
  | "unsure"
  | "aborted";

type Response = {
  error_code: number;
  description: string;
  parameters?: { retry_after?: number; migrate_to_chat_id?: number };
};

/**
 * A failed call to Telegram. Neither message nor stack contains the bot's token, and the request's text is not kept.
 */
export class TelegramFailure extends TelegramError {
  readonly kind: FailureKind;
  readonly method: string;
  /** How often the call was tried. */
  readonly attempts: number;

  constructor(kind: FailureKind, method: string, response: Response, attempts: number) {
    super(response);
    this.name = kind === "aborted" ? "AbortError" : "TelegramFailure";
    this.message = `Telegram, ${method}: ${response.description}`;
    this.kind = kind;
    this.method = method;
    this.attempts = attempts;
  }

  get retryAfterSeconds(): number | null {
    return this.response.parameters?.retry_after ?? null;
  }

  get migratedTo(): number | null {
    return this.response.parameters?.migrate_to_chat_id ?? null;
  }
}

const byDescription: readonly [RegExp, FailureKind][] = [
  [/message is not modified/i, "not-modified"],
  [
    /message to (edit|delete|pin|be replied|reply) not found|message can't be edited|MESSAGE_ID_INVALID|there is no text in the message to edit/i,
    "message-gone",
  ],
  [/message thread not found|TOPIC_(DELETED|CLOSED|ID_INVALID)/i, "topic-gone"],
  [
    /chat not found|chat_id is empty|PEER_ID_INVALID|need administrator rights|not enough rights|CHAT_WRITE_FORBIDDEN/i,
    "chat-gone",
  ],
];

/** The kind of a refusal, by Telegram's error code and description. */
function kindOf({ error_code: code, description, parameters }: Response, method: string): FailureKind {
  if (parameters?.migrate_to_chat_id !== undefined) return "chat-migrated";
  if (code === 401) return "token";
  if (code === 404) return /method not found/i.test(description) || method === "sendRichMessage" ? "method" : "token";
  if (code === 403) return "chat-gone";
  if (code === 409) return "conflict";
  if (code === 429) return "rate";
  if (code >= 500) return "server";
  return byDescription.find(([words]) => words.test(description))?.[1] ?? "content";
}

/** Errors after which nothing can have reached Telegram. */
const neverArrived = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
]);

/**
 * Turns any error from telegraf into a failure without secrets.
 *
 * @param timedOut whether our own time limit ended the call; `aborted` whether the caller's signal did
 */
export function toFailure(
  error: unknown,
  method: string,
  attempts: number,
  redact: (text: string) => string,
  ended: { timedOut: boolean; aborted: boolean },
): TelegramFailure {
  if (error instanceof TelegramFailure) return error;
  const failure = classify(error, method, attempts, redact, ended);
  failure.stack = redact(failure.stack ?? "");
  return failure;
}

function classify(
  error: unknown,
  method: string,
  attempts: number,
  redact: (text: string) => string,
  ended: { timedOut: boolean; aborted: boolean },
): TelegramFailure {
  if (error instanceof TelegramError) {
    const { error_code, description, parameters } = error.response;
    const response = {
      error_code,
      description: `${error_code} ${redact(String(description))}`,
      ...(parameters === undefined ? {} : { parameters: parameters as NonNullable<Response["parameters"]> }),
    };
    return new TelegramFailure(kindOf(response, method), method, response, attempts);
  }
  const words = redact(error instanceof Error ? error.message : String(error));
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (ended.aborted)
    return new TelegramFailure("aborted", method, { error_code: 0, description: "given up by the caller" }, attempts);
  if (ended.timedOut)
    return new TelegramFailure("unsure", method, { error_code: 0, description: "no answer in time" }, attempts);
  if (neverArrived.has(code))
    return new TelegramFailure(
      "unreachable",
      method,
      { error_code: 0, description: `could not be reached (${code})` },
      attempts,
    );
  if (error instanceof Error && "type" in error && error.type === "invalid-json")
    return new TelegramFailure(
      "unsure",
      method,
      { error_code: 0, description: "answered something that is not JSON: is a proxy in between?" },
      attempts,
    );
  return new TelegramFailure("unsure", method, { error_code: 0, description: words }, attempts);
}
