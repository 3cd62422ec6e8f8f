import { dayMs } from "../telegram/clock.ts";
import { Actions } from "./actions.ts";
import { Audit } from "./audit.ts";
import { Cards } from "./cards.ts";
import { Database } from "./database.ts";
import { Inbox } from "./inbox.ts";
import { Links } from "./links.ts";
import { Messages } from "./messages.ts";
import { Nonces } from "./nonces.ts";
import { Pins } from "./pins.ts";
import { Seen } from "./seen.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Watches } from "./watches.ts";

const keepMs = 30 * dayMs;

/** Everything that the bot stores. */
export class Store {
  private readonly db: Database;
  readonly inbox: Inbox;
  readonly messages: Messages;
  readonly nonces: Nonces;
  readonly actions: Actions;
  readonly audit: Audit;
  readonly cards: Cards;
  readonly subscriptions: Subscriptions;
  readonly pins: Pins;
  readonly seen: Seen;
  readonly links: Links;
  readonly watches: Watches;

  /** @throws ConfigurationError if another bot has the database open */
  constructor(path: string, sealingKey: string | null) {
    this.db = new Database(path);
    this.inbox = new Inbox(this.db);
    this.messages = new Messages(this.db);
    this.nonces = new Nonces(this.db);
    this.actions = new Actions(this.db);
    this.audit = new Audit(this.db);
    this.cards = new Cards(this.db);
    this.subscriptions = new Subscriptions(this.db);
    this.pins = new Pins(this.db);
    this.seen = new Seen(this.db);
    this.links = new Links(this.db, sealingKey);
    this.watches = new Watches(this.db);
  }

  transaction<T>(work: () => T): T {
    return this.db.transaction(work);
  }

  /** Deletes what is no longer needed. Audit entries and actions are kept. */
  forget(now: number): void {
    this.inbox.forget(now);
    this.messages.forget(now - keepMs, now);
    this.nonces.forget(now - dayMs);
    this.seen.forget(now - keepMs);
    this.cards.forget(now - keepMs);
    this.watches.forget(now - keepMs);
  }

  close(): void {
    this.db.close();
  }
}
