import { watchState, type WatchState } from "../../watch/schema/state.ts";
import type { VerdictWord } from "../../eval/schema/verdict.ts";
import { hourMs } from "../telegram/clock.ts";
import type { Database } from "./database.ts";

/** What people were told last of a live model. */
export type ReportedState = "PASS" | "FAIL" | "UNREACHABLE";

/** What the watch knows of one live model, without its counts. */
export type WatchEntry = {
  model: string;
  version: string;
  sha256: string;
  /** The last look that was answered. */
  verdict: VerdictWord;
  reason: string;
  window: { from: string; to: string; answered: number; refused: number } | null;
  labelled: number;
  lookedAt: number;
  /** Looks in a row without an answer. */
  failures: number;
  /** null until there was something to tell. */
  reported: ReportedState | null;
  reportedAt: number;
  /** Whether it was told that true labels show it worse than it may be. */
  broken: boolean;
  /** What had been told before the Space stopped answering. */
  reportedBefore: ReportedState | null;
  acknowledgedBy: number | null;
  snoozedUntil: number;
};

/** One point of a model's history. Null where nothing was measured. */
export type WatchPoint = { at: number; drift: number | null; error: number | null };

/** The watch beside the bot: its counts, what it saw and what it told. They outlive restarts of Spaces and of the bot. */
export class Watches {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  find(model: string): WatchEntry | null {
    const row = this.db.get("SELECT entry FROM watches WHERE model = ?", model);
    return row === undefined ? null : (JSON.parse(String(row["entry"])) as WatchEntry);
  }

  /** The counts of a model; null before the first look, and where another version of the bot kept them otherwise. */
  state(model: string): WatchState | null {
    const row = this.db.get("SELECT state FROM watches WHERE model = ?", model);
    if (row === undefined) return null;
    const parsed = watchState.safeParse(JSON.parse(String(row["state"])));
    return parsed.success ? parsed.data : null;
  }

  put(entry: WatchEntry, state?: WatchState): void {
    const text = JSON.stringify(entry);
    if (state === undefined) this.db.run("UPDATE watches SET entry = ? WHERE model = ?", text, entry.model);
    else
      this.db.run(
        "INSERT OR REPLACE INTO watches (model, entry, state) VALUES (?, ?, ?)",
        entry.model,
        text,
        JSON.stringify(state),
      );
  }

  /** Keeps one point an hour, the last. */
  addPoint(model: string, { at, drift, error }: WatchPoint): void {
    this.db.run(
      "INSERT OR REPLACE INTO watch_points (model, hour, drift, error) VALUES (?, ?, ?, ?)",
      model,
      Math.floor(at / hourMs),
      drift,
      error,
    );
  }

  /** Oldest first. */
  points(model: string, since: number): WatchPoint[] {
    return this.db
      .all("SELECT * FROM watch_points WHERE model = ? AND hour >= ? ORDER BY hour", model, Math.floor(since / hourMs))
      .map((row) => ({
        at: Number(row["hour"]) * hourMs,
        drift: row["drift"] as number | null,
        error: row["error"] as number | null,
      }));
  }

  forget(before: number): void {
    this.db.run("DELETE FROM watch_points WHERE hour < ?", Math.floor(before / hourMs));
  }
}
