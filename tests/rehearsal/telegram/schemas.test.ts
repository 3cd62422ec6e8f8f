import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { methods, schemas } from "../../../rehearsal/telegram/schemas.ts";
import { messageJson } from "../../../rehearsal/telegram/state.ts";
import { addChat, startTelegram } from "../../../rehearsal/telegram/server.ts";

// Compares the stand-in with the names in the current Bot API, as @grammyjs/types describes them. Types are compared
// when the sources are compiled (schemas.ts). Here the description itself is read, so that a test fails if the API
// drops a name or starts to require a parameter.

const types = dirname(createRequire(import.meta.url).resolve("@grammyjs/types/package.json"));
const source = (file: string) => readFileSync(join(types, file), "utf8");

type Described = Map<string, { required: Set<string>; optional: Set<string> }>;

function describedMethods(): Described {
  const found: Described = new Map();
  for (const [, name, body = ""] of source("methods.d.ts").matchAll(
    /^ {4}(\w+)\((?:args\??: \{\n([\s\S]*?)^ {4}\}.*)?\): /gm,
  )) {
    const fields = [...body.matchAll(/^ {8}(\w+)(\??): /gm)];
    found.set(name as string, {
      required: new Set(fields.filter(([, , optional]) => optional === "").map(([, field]) => field as string)),
      optional: new Set(fields.filter(([, , optional]) => optional === "?").map(([, field]) => field as string)),
    });
  }
  return found;
}

/** The fields of an interface, including those of nested namespaces and of base interfaces in the same file. */
function fieldsIn(file: string): Set<string> {
  return new Set([...source(file).matchAll(/^ {4,8}(\w+)\??: /gm)].map(([, field]) => field as string));
}

describe("the Bot API's own names", () => {
  const described = describedMethods();

  it("are read from the description", () => {
    expect(described.size).toBeGreaterThan(150);
    expect(described.get("sendMessage")?.required).toEqual(new Set(["chat_id", "text"]));
  });

  it.each(methods)("%s and its parameters exist, and what the API requires is required here", (method) => {
    const api = described.get(method);
    expect(api, `${method} is no method of the Bot API`).toBeDefined();
    const shape = schemas[method].shape as Record<string, z.ZodType>;
    const known = [...(api?.required ?? []), ...(api?.optional ?? [])];
    expect(Object.keys(shape).filter((name) => !known.includes(name))).toEqual([]);
    expect([...(api?.required ?? [])].filter((name) => shape[name] === undefined || shape[name].isOptional())).toEqual(
      [],
    );
  });

  it("are used in the answers: every field of a message is one of Message's", async () => {
    const telegram = await startTelegram();
    try {
      addChat(telegram.state, { id: -5, topics: new Map([[9, "open"]]) });
      const base = {
        chat: -5,
        thread: 9,
        from: telegram.state.bot,
        date: 1,
        entities: [{ type: "bold" as const, offset: 0, length: 1 }],
        replyTo: null,
        silent: false,
        edits: 1,
        pinned: false,
        markup: { inline_keyboard: [] },
      };
      telegram.state.messages.push({ ...base, message_id: 1, text: "x", rich: null, photo: null, caption: null });
      const message = messageJson(telegram.state, {
        ...base,
        message_id: 2,
        text: "x",
        rich: { blocks: [] },
        photo: "p",
        caption: "c",
        replyTo: 1,
      });
      const fields = fieldsIn("message.d.ts");
      expect(Object.keys(message).filter((name) => !fields.has(name))).toEqual([]);
      expect(Object.keys(message)).toContain("rich_message");
      const ana = telegram.people.person(7, "Ana");
      const updates = [telegram.people.says(ana, "/x"), telegram.people.forges(ana, { chat: -5, message_id: 1 }, "d")];
      const [updateFields, queryFields] = [
        fieldsIn("update.d.ts"),
        new Set([...fieldsIn("update.d.ts"), ...fieldsIn("markup.d.ts")]),
      ];
      expect(updates.flatMap((one) => Object.keys(one)).filter((name) => !updateFields.has(name))).toEqual([]);
      expect(Object.keys(updates[1]?.callback_query ?? {}).filter((name) => !queryFields.has(name))).toEqual([]);
    } finally {
      await telegram.close();
    }
  });
});
