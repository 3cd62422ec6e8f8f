import type { InlineKeyboardButton } from "@grammyjs/types";
import type { Remembered } from "../../github/registry/card.ts";
import type { Database, Row } from "./database.ts";

/**
 * asking: the buttons are shown · acting: somebody tapped one · again: the action failed, so the question is asked
 * again · decided: it shows who decided · closed: the run is over and nothing changes any more.
 */
type CardEntryState = "asking" | "acting" | "again" | "decided" | "closed";
type Link = Remembered["links"][number];

/** The bot's buttons under one card of actions/notify, for one environment that a run waits for. */
export type CardEntry = {
  key: string;
  run: number;
  environment: string;
  chat: number;
  messageId: number;
  model: string;
  sha: string;
  runUrl: string;
  pullRequest: number | null;
  /** When notify last edited the card, according to its marker. An edit removes the bot's buttons. */
  edited: number;
  links: Link[];
  state: CardEntryState;
  /** One line, such as who decided, shown as a button that links to the run. */
  brief: string | null;
  rows: InlineKeyboardButton[][];
  askedAt: number;
  /** When the buttons expire; null if there are none. */
  expiresAt: number | null;
  changedAt: number;
};

const prefix = "card/";

/** The key of an entry, which is also the family of its buttons' ids. */
export function cardEntryKey(run: number, environment: string, chat: number): string {
  return `${prefix}${run}/${environment}/${chat}`;
}

export function isCardKey(key: string): boolean {
  return key.startsWith(prefix);
}

/** The buttons that the bot has put under the cards of actions/notify. */
export class Cards {
  private readonly db: Database;

  constructor(db: Database) {
    this.db = db;
  }

  put({
    key,
    run,
    environment,
    chat,
    messageId,
    model,
    sha,
    runUrl,
    pullRequest,
    edited,
    links,
    state,
    brief,
    rows,
    askedAt,
    expiresAt,
    changedAt,
  }: CardEntry): void {
    this.db.run(
      "INSERT OR REPLACE INTO cards (key, run, environment, chat, message_id, model, sha, run_url, pull_request, edited, links, state, brief, rows, asked_at, expires_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      key,
      run,
      environment,
      chat,
      messageId,
      model,
      sha,
      runUrl,
      pullRequest,
      edited,
      JSON.stringify(links),
      state,
      brief,
      JSON.stringify(rows),
      askedAt,
      expiresAt,
      changedAt,
    );
  }

  find(key: string): CardEntry | null {
    const row = this.db.get("SELECT * FROM cards WHERE key = ?", key);
    return row === undefined ? null : read(row);
  }

  open(): CardEntry[] {
    return this.db.all("SELECT * FROM cards WHERE state <> 'closed' ORDER BY asked_at").map(read);
  }

  of(run: number, environment: string): CardEntry[] {
    return this.db.all("SELECT * FROM cards WHERE run = ? AND environment = ?", run, environment).map(read);
  }

  /** The entries under one message, for its latest run only. Questions of earlier runs no longer matter. */
  under(chat: number, messageId: number): CardEntry[] {
    return this.db
      .all(
        "SELECT * FROM cards WHERE chat = ? AND message_id = ? AND run = (SELECT max(run) FROM cards WHERE chat = ? AND message_id = ?) ORDER BY asked_at, key",
        chat,
        messageId,
        chat,
        messageId,
      )
      .map(read);
  }

  forget(before: number): void {
    this.db.run("DELETE FROM cards WHERE state = 'closed' AND changed_at < ?", before);
  }
}

function read(row: Row): CardEntry {
  return {
    key: String(row["key"]),
    run: Number(row["run"]),
    environment: String(row["environment"]),
    chat: Number(row["chat"]),
    messageId: Number(row["message_id"]),
    model: String(row["model"]),
    sha: String(row["sha"]),
    runUrl: String(row["run_url"]),
    pullRequest: row["pull_request"] as number | null,
    edited: Number(row["edited"]),
    links: JSON.parse(String(row["links"])) as Link[],
    state: row["state"] as CardEntryState,
    brief: row["brief"] as string | null,
    rows: JSON.parse(String(row["rows"])) as InlineKeyboardButton[][],
    askedAt: Number(row["asked_at"]),
    expiresAt: row["expires_at"] as number | null,
    changedAt: Number(row["changed_at"]),
  };
}
