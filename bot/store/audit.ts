import { createHash } from "node:crypto";
import type { Database } from "./database.ts";

export type AuditEntry = {
  seq: number;
  at: number;
  user: number | null;
  login: string | null;
  event: string;
  detail: Record<string, unknown>;
};

/** Who did what. Rows can only be added. Each row has a hash over itself and the hash of the previous row. */
export class Audit {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  add(
    at: number,
    who: { user: number | null; login: string | null },
    event: string,
    detail: Record<string, unknown>,
  ): void {
    this.db.transaction(() => {
      const before = String(this.db.get("SELECT hash FROM audit ORDER BY seq DESC LIMIT 1")?.["hash"] ?? "");
      const text = JSON.stringify(detail);
      this.db.run(
        "INSERT INTO audit (at, user, login, event, detail, hash) VALUES (?, ?, ?, ?, ?, ?)",
        at,
        who.user,
        who.login,
        event,
        text,
        hash(before, at, who.user, who.login, event, text),
      );
    });
  }

  /** Latest first. */
  latest(count: number): AuditEntry[] {
    return this.db.all("SELECT * FROM audit ORDER BY seq DESC LIMIT ?", count).map((row) => ({
      seq: Number(row["seq"]),
      at: Number(row["at"]),
      user: row["user"] as number | null,
      login: row["login"] as string | null,
      event: String(row["event"]),
      detail: JSON.parse(String(row["detail"])) as Record<string, unknown>,
    }));
  }

  /** The number of the first row whose hash does not follow from the previous row; null if all do. */
  brokenAt(): number | null {
    let before = "";
    for (const row of this.db.all("SELECT * FROM audit ORDER BY seq")) {
      const right = hash(
        before,
        Number(row["at"]),
        row["user"] as number | null,
        row["login"] as string | null,
        String(row["event"]),
        String(row["detail"]),
      );
      if (row["hash"] !== right) return Number(row["seq"]);
      before = right;
    }
    return null;
  }
}

function hash(
  before: string,
  at: number,
  user: number | null,
  login: string | null,
  event: string,
  detail: string,
): string {
  return createHash("sha256")
    .update(JSON.stringify([before, at, user, login, event, detail]))
    .digest("hex");
}
