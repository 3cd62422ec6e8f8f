import type { Update } from "@grammyjs/types";
import { Refusal } from "./refusal.ts";
import type { Parameters } from "./schemas.ts";

type Waiting = { answer: (updates: Update[]) => void; refuse: (refusal: Refusal) => void; timer: NodeJS.Timeout };
type Webhook = { url: string; secret: string | undefined };
/** A webhook's answer to one delivery; status 0 if no answer came. */
type Delivery = { updateId: number; status: number };

const deliveryTimeoutMs = 5_000;
const retryEveryMs = 20;
const maxTries = 50;

/**
 * The bot's queue of updates: long polling with offsets and one poller at a time, or one webhook with its secret
 * header. As with Telegram, an update is repeated until it is confirmed by a higher offset or a 2xx answer.
 */
export class Updates {
  readonly deliveries: Delivery[] = [];
  private pending: Update[] = [];
  private waiting: Waiting | null = null;
  private webhook: Webhook | null = null;
  private delivering = false;
  private allowed: readonly string[] | null = null;
  private closed = false;

  /** Of the last delivery that failed, in getWebhookInfo's words. */
  lastError: { last_error_date: number; last_error_message: string } | Record<string, never> = {};

  get unconfirmed(): readonly Update[] {
    return this.pending;
  }

  get webhookUrl(): string {
    return this.webhook?.url ?? "";
  }

  push(update: Update): void {
    if (
      this.allowed !== null &&
      this.allowed.length > 0 &&
      !Object.keys(update).some((name) => this.allowed?.includes(name))
    )
      return;
    this.pending.push(update);
    if (this.webhook !== null) void this.deliver();
    else if (this.waiting !== null) this.release(this.pending.slice(0, 100));
  }

  /**
   * @param disconnected resolves when the caller has disconnected, so that its wait does not consume the next update
   */
  async poll(
    { offset = 0, limit = 100, timeout = 0, allowed_updates }: Parameters<"getUpdates">,
    disconnected: Promise<void>,
  ): Promise<Update[]> {
    if (this.webhook !== null)
      throw new Refusal(
        409,
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
      );
    if (this.waiting !== null) {
      clearTimeout(this.waiting.timer);
      this.waiting.refuse(
        new Refusal(
          409,
          "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        ),
      );
      this.waiting = null;
    }
    if (allowed_updates !== undefined) this.allowed = allowed_updates;
    // A negative offset counts from the end, and what comes before is forgotten.
    this.pending = offset < 0 ? this.pending.slice(offset) : this.pending.filter((one) => one.update_id >= offset);
    if (this.pending.length > 0 || timeout === 0) return this.pending.slice(0, limit);
    return new Promise((answer, refuse) => {
      const mine: Waiting = {
        answer: (updates) => {
          answer(updates.slice(0, limit));
        },
        refuse,
        timer: setTimeout(() => {
          this.release([]);
        }, timeout * 1000),
      };
      this.waiting = mine;
      const forget = () => {
        if (this.waiting !== mine) return;
        clearTimeout(mine.timer);
        this.waiting = null;
      };
      void disconnected.then(forget);
    });
  }

  setWebhook({ url, secret_token, allowed_updates, drop_pending_updates }: Parameters<"setWebhook">): true {
    if (url !== "" && !/^https:\/\/|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(url))
      throw new Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook");
    if (drop_pending_updates === true) this.pending = [];
    if (allowed_updates !== undefined) this.allowed = allowed_updates;
    this.webhook = url === "" ? null : { url, secret: secret_token };
    if (this.webhook !== null && this.waiting !== null) {
      clearTimeout(this.waiting.timer);
      this.waiting.refuse(new Refusal(409, "Conflict: terminated by setWebhook request"));
      this.waiting = null;
    }
    void this.deliver();
    return true;
  }

  close(): void {
    this.closed = true;
    if (this.waiting !== null) this.release([]);
  }

  private release(updates: Update[]): void {
    const { waiting } = this;
    this.waiting = null;
    if (waiting === null) return;
    clearTimeout(waiting.timer);
    waiting.answer(updates);
  }

  private async deliver(): Promise<void> {
    if (this.delivering) return;
    this.delivering = true;
    for (let tries = 0; this.webhook !== null && this.pending.length > 0 && tries < maxTries && !this.closed;) {
      const [update] = this.pending as [Update];
      const status = await this.deliverOne(this.webhook, update);
      this.deliveries.push({ updateId: update.update_id, status });
      if (status >= 200 && status < 300) {
        this.pending = this.pending.filter((one) => one !== update);
        tries = 0;
      } else {
        tries += 1;
        this.lastError = {
          last_error_date: Math.floor(Date.now() / 1000),
          last_error_message: status === 0 ? "Connection refused" : `Wrong response from the webhook: ${status}`,
        };
        await new Promise((resolve) => {
          setTimeout(resolve, retryEveryMs);
        });
      }
    }
    this.delivering = false;
  }

  private async deliverOne({ url, secret }: Webhook, update: Update): Promise<number> {
    try {
      const answer = await fetch(url, {
        method: "POST",
        body: JSON.stringify(update),
        signal: AbortSignal.timeout(deliveryTimeoutMs),
        headers: {
          "content-type": "application/json",
          ...(secret === undefined ? {} : { "x-telegram-bot-api-secret-token": secret }),
        },
      });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return 0;
    }
  }
}
