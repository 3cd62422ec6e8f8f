import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from "node:crypto";
import type { Database } from "./database.ts";

export type Link = { user: number; login: string; githubId: number; linkedAt: number };
export type Linking = {
  user: number;
  deviceCode: string;
  messageKey: string;
  intervalMs: number;
  nextAt: number;
  expiresAt: number;
};

/**
 * Which Telegram user is which GitHub login, proved by GitHub's device flow. Tokens are stored only if there is a key
 * to encrypt them.
 */
export class Links {
  private readonly db: Database;
  private readonly key: Buffer | null;

  constructor(db: Database, sealingKey: string | null) {
    this.db = db;
    this.key = sealingKey === null ? null : scryptSync(sealingKey, "sluice-bot-links", 32);
  }

  find(user: number): Link | null {
    const row = this.db.get("SELECT * FROM links WHERE user = ?", user);
    return row === undefined
      ? null
      : { user, login: String(row["login"]), githubId: Number(row["github_id"]), linkedAt: Number(row["linked_at"]) };
  }

  login(user: number): string | null {
    return this.find(user)?.login ?? null;
  }

  /** A login belongs to one Telegram user: the last who proved it. @returns the user who had it before */
  link({ user, login, githubId, linkedAt }: Link, token: string): number | null {
    return this.db.transaction(() => {
      const before = this.db.get("SELECT user FROM links WHERE login = ? AND user <> ?", login, user);
      this.db.run("DELETE FROM links WHERE login = ? OR user = ?", login, user);
      this.db.run(
        "INSERT INTO links (user, login, github_id, sealed_token, linked_at) VALUES (?, ?, ?, ?, ?)",
        user,
        login,
        githubId,
        this.key === null ? null : seal(token, this.key),
        linkedAt,
      );
      return before === undefined ? null : Number(before["user"]);
    });
  }

  unlink(user: number): void {
    this.db.run("DELETE FROM links WHERE user = ?", user);
  }

  /** The person's own GitHub token; null if none is stored or the key has changed. */
  token(user: number): string | null {
    const sealed = this.db.get("SELECT sealed_token FROM links WHERE user = ?", user)?.["sealed_token"];
    return typeof sealed === "string" && this.key !== null ? open(sealed, this.key) : null;
  }

  begin({ user, deviceCode, messageKey, intervalMs, nextAt, expiresAt }: Linking): void {
    this.db.run(
      "INSERT OR REPLACE INTO linking (user, device_code, message_key, interval_ms, next_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
      user,
      deviceCode,
      messageKey,
      intervalMs,
      nextAt,
      expiresAt,
    );
  }

  begun(): Linking[] {
    return this.db.all("SELECT * FROM linking").map((row) => ({
      user: Number(row["user"]),
      deviceCode: String(row["device_code"]),
      messageKey: String(row["message_key"]),
      intervalMs: Number(row["interval_ms"]),
      nextAt: Number(row["next_at"]),
      expiresAt: Number(row["expires_at"]),
    }));
  }

  end(user: number): void {
    this.db.run("DELETE FROM linking WHERE user = ?", user);
  }
}

function seal(text: string, key: Buffer): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64");
}

function open(sealed: string, key: Buffer): string | null {
  try {
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, 12));
    decipher.setAuthTag(bytes.subarray(12, 28));
    return Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}
