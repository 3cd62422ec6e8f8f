import type { Database } from "./database.ts";

/** The last known state of what the bot watches, so that only changes become messages. */
export class Seen {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  state(kind: string, id: string | number): string | null {
    return (this.db.get("SELECT state FROM seen WHERE kind = ? AND id = ?", kind, String(id))?.["state"] ?? null) as
      | string
      | null;
  }

  set(kind: string, id: string | number, state: string, now: number): void {
    this.db.run(
      "INSERT INTO seen (kind, id, state, at) VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET state = excluded.state, at = excluded.at",
      kind,
      String(id),
      state,
      now,
    );
  }

  forget(before: number): void {
    this.db.run(
      "DELETE FROM seen WHERE at < ? AND kind IN ('run', 'delivery', 'waiting', 'question', 'asked', 'reminded', 'under')",
      before,
    );
  }
}
