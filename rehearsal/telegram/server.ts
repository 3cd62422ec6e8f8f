import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { answerMethod } from "./methods.ts";
import { People } from "./people.ts";
import { readParameters } from "./request.ts";
import { Refusal } from "./refusal.ts";
import type { Call, Fault, StoredChat, TelegramState } from "./state.ts";
import { Updates } from "./updates.ts";

export type StandInTelegram = {
  /** TELEGRAM_API_ROOT. */
  url: string;
  token: string;
  state: TelegramState;
  transcript: Call[];
  /** Every call that violates Telegram's documentation: unknown methods and parameters, wrong types. */
  violations: string[];
  updates: Updates;
  people: People;
  /** The calls of one method that succeeded. */
  succeeded: (method: string) => Call[];
  fail: (fault: Fault) => void;
  close: () => Promise<void>;
};

export type StandInOptions = Partial<Pick<TelegramState, "rich" | "limits" | "now" | "token">>;

const testToken = "123456789:AAF-stand_in-token-0123456789abcdefgh";

/**
 * A Bot API on a free loopback port. It has stateful chats, topics and messages, checks every call against the
 * documented types, refuses with Telegram's own words, supports long polling and webhooks, and injects faults on
 * demand.
 */
export async function startTelegram({
  rich = true,
  limits = null,
  now = Date.now,
  token = testToken,
}: StandInOptions = {}): Promise<StandInTelegram> {
  const state: TelegramState = {
    token,
    rich,
    joinsGroups: true,
    limits,
    now,
    bot: { id: Number(token.split(":")[0]), is_bot: true, first_name: "Sluice", username: "sluice_test_bot" },
    chats: new Map(),
    messages: [],
    lastSharedMessageId: 0,
    faults: [],
    sent: new Map(),
    callbackQueries: new Map(),
    commands: [],
    chatActions: [],
  };
  const transcript: Call[] = [];
  const violations: string[] = [];
  const updates = new Updates();
  const server = createServer((request, response) => {
    void respond(request, response).catch((error: unknown) => {
      violations.push(`the stand-in broke: ${String(error)}`);
      response.destroy();
    });
  });

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const disconnected = new Promise<void>((resolve) => {
      response.once("close", resolve);
    });
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://stand-in");
    const [, given, method = ""] = /^\/bot([^/]*)\/(\w+)$/.exec(pathname) ?? [];
    const parameters = await readParameters(request, searchParams);
    const record = (status: number, answer: unknown, audible = false) => {
      transcript.push({ method, parameters, status, answer, audible, atMs: now() });
    };
    const fault = state.faults.find(
      (one) => one.times > 0 && (one.method === method || (one.method === "*" && method !== "getUpdates")),
    );
    if (fault !== undefined) fault.times -= 1;
    switch (fault?.does.kind) {
      case "hang":
        record(0, "hangs");
        return;
      case "reset":
        record(0, "connection reset");
        request.socket.resetAndDestroy();
        return;
      case "html": {
        const { status, body = "<html><head><title>Bad Gateway</title></head><body>nginx</body></html>" } = fault.does;
        record(status, body);
        response.writeHead(status, { "content-type": "text/html" }).end(body);
        return;
      }
      default:
    }
    try {
      if (given === undefined || !/^\d+:[\w-]+$/.test(decodeURIComponent(given))) throw new Refusal(404, "Not Found");
      if (decodeURIComponent(given) !== token) throw new Refusal(401, "Unauthorized");
      if (fault?.does.kind === "refuse") throw fault.does.refusal;
      const before = state.messages.length;
      const result = await answerMethod({ state, updates, violations, disconnected }, method, parameters);
      const audible = state.messages.length > before && state.messages.at(-1)?.silent === false;
      const answer = { ok: true, result };
      record(200, answer, audible);
      if (fault?.does.kind === "accept-then-reset") {
        request.socket.resetAndDestroy();
        return;
      }
      json(response, 200, answer);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const answer = {
        ok: false,
        error_code: error.code,
        description: error.description,
        ...(error.parameters === undefined ? {} : { parameters: error.parameters }),
      };
      record(error.code, answer);
      json(response, error.code, answer);
    }
  }

  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    state,
    transcript,
    violations,
    updates,
    people: new People(state, updates),
    succeeded: (method) => transcript.filter((call) => call.method === method && call.status === 200),
    fail: (fault) => {
      state.faults.push(fault);
    },
    close: () =>
      new Promise((resolve) => {
        updates.close();
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

function json(response: ServerResponse, status: number, answer: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
}

/** Adds a chat that the bot is a member of. A negative id is a group. */
export function addChat(state: TelegramState, chat: Partial<StoredChat> & Pick<StoredChat, "id">): StoredChat {
  const added: StoredChat = {
    type: chat.id > 0 ? "private" : "supergroup",
    title: "models",
    topics: null,
    members: new Map([[state.bot.id, "member"]]),
    refuses: null,
    lastMessageId: 0,
    ...chat,
  };
  state.chats.set(added.id, added);
  return added;
}
