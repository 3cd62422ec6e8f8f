import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { Database } from "./database.ts";

/** What a tap on a button does. The button carries only an opaque id. */
const callbackAction = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("command"), text: z.string() }),
  z.strictObject({ kind: z.literal("ask"), action: z.string() }),
  z.strictObject({
    kind: z.literal("confirm"),
    action: z.string(),
    /** Why a run is rejected. */
    reason: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal("approve"), action: z.string() }),
  z.strictObject({ kind: z.literal("confirm-approval"), action: z.string() }),
  z.strictObject({ kind: z.literal("cancel"), action: z.string() }),
  z.strictObject({
    kind: z.literal("review"),
    decision: z.enum(["approve", "reject"]),
    run: z.int(),
    environment: z.string(),
    environmentId: z.int(),
    sha: z.string(),
    digest: z.string(),
    reason: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal("watch"),
    does: z.enum(["acknowledge", "snooze", "wake"]),
    model: z.string(),
    /** When the alert was told that it belongs to. */
    at: z.int(),
  }),
  z.strictObject({ kind: z.literal("link") }),
]);
export type CallbackAction = z.infer<typeof callbackAction>;
export type Nonce = {
  id: string;
  family: string;
  chat: number;
  user: number | null;
  callback: CallbackAction;
  single: boolean;
  expiresAt: number;
  usedAt: number | null;
};
/** Buttons of one family end together: a tap on one spends them all. */
type NonceOptions = { family: string; chat: number; user?: number | null; single: boolean; expiresAt: number };

/** One-time ids of buttons and deep links. */
export class Nonces {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  /** @returns 22 characters of 128 random bits */
  make(callback: CallbackAction, { family, chat, user = null, single, expiresAt }: NonceOptions): string {
    const id = randomBytes(16).toString("base64url");
    this.db.run(
      "INSERT INTO nonces (id, family, chat, user, press, single, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      family,
      chat,
      user,
      JSON.stringify(callback),
      single ? 1 : 0,
      expiresAt,
    );
    return id;
  }

  find(id: string): Nonce | null {
    const row = this.db.get("SELECT * FROM nonces WHERE id = ?", id);
    if (row === undefined) return null;
    return {
      id,
      family: String(row["family"]),
      chat: Number(row["chat"]),
      user: row["user"] as number | null,
      callback: callbackAction.parse(JSON.parse(String(row["press"]))),
      single: row["single"] === 1,
      expiresAt: Number(row["expires_at"]),
      usedAt: row["used_at"] as number | null,
    };
  }

  /** Spends a whole family of buttons. @returns false if this button was already spent */
  use(id: string, user: number, now: number): boolean {
    return this.db.transaction(() => {
      const mine =
        this.db.run(
          "UPDATE nonces SET used_at = ?, used_by = ? WHERE id = ? AND used_at IS NULL AND expires_at > ?",
          now,
          user,
          id,
          now,
        ) > 0;
      if (mine)
        this.db.run(
          "UPDATE nonces SET used_at = ?, used_by = ? WHERE used_at IS NULL AND family = (SELECT family FROM nonces WHERE id = ?)",
          now,
          user,
          id,
        );
      return mine;
    });
  }

  /** Disables a family's buttons, because others replace them. */
  end(family: string, now: number): void {
    this.db.run("UPDATE nonces SET used_at = ? WHERE used_at IS NULL AND family = ?", now, family);
  }

  forget(before: number): void {
    this.db.run("DELETE FROM nonces WHERE expires_at < ?", before);
  }
}
