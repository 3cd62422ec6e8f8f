import assert from "node:assert/strict";
import { RandomStream } from "../../../eval/stats/random.ts";
import type { Scene } from "../../scene/scene.ts";
import { labelDays, live, type Watched } from "./team.ts";
import type { BirthDay } from "./births-days.ts";

type Ride = { km: number; minutes: number; zones: number; airport: number };
/** What the world of rides is like on a day. */
export type World = {
  /** Only short rides: the inputs drift, and what a ride costs does not. */
  short?: true;
  /** Euros that a fare is above what it was when the model was gated. */
  dearer?: number;
};

const ridesPerDay = 150;
const timeoutMs = 10_000;
const seed = 20_040_101;

type FeedbackTally = Record<string, number>;

/** People and programs that ask the two live models, and tell later what was true. */
export class Traffic {
  readonly #scene: Scene;
  readonly #random = new RandomStream(seed);
  readonly #due: { day: number; id: string; fares: number[] }[] = [];
  #birth: { id: string; births: number } | null = null;
  /** Absolute errors of births' answers, in the order of its days. */
  readonly errors: number[] = [];
  /** What became of labels, by the server's word, or by the status of a request that was refused. */
  readonly feedback: Record<Watched, FeedbackTally> = { births: {}, fares: {} };
  /** Ids of the latest rides' answers, and what was true of them. */
  latest: { id: string; fares: number[] } | null = null;
  /** The same of the rides that were labelled last. */
  labelled: { id: string; fares: number[] } | null = null;
  rows = 0;
  unanswered = 0;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** A day of rides: answers now, true fares `labelDays` later. */
  async rides(day: number, { short, dearer = 0 }: World): Promise<void> {
    const rows = Array.from({ length: ridesPerDay }, () => this.#ride(short === true));
    const fares = rows.map(({ km, minutes, zones }) => {
      const noise = Math.floor(this.#uniform() * 101) / 50 - 1;
      return km + 10 * minutes + 100 * zones + 0.5 + noise + dearer;
    });
    const answer = await this.#post("fares", "predict/batch", { rows });
    const id = answer?.["predictionId"];
    if (typeof id === "string") this.#due.push({ day: day + labelDays, id, fares });
    this.latest = typeof id === "string" ? { id, fares } : null;
    for (const due of this.#due.filter((one) => one.day <= day)) {
      this.#due.splice(this.#due.indexOf(due), 1);
      this.labelled = due;
      await this.sendFeedback(
        "fares",
        due.fares.map((label, i) => ({ predictionId: `${due.id}:${i}`, label })),
      );
    }
  }

  /** A day of births: yesterday's number is known, and today's is asked for. */
  async births({ date, births, history }: BirthDay): Promise<void> {
    if (this.#birth !== null)
      await this.sendFeedback("births", [{ predictionId: this.#birth.id, label: this.#birth.births }]);
    const answer = await this.#post("births", "predict", { date, history });
    const id = answer?.["predictionId"];
    this.#birth = typeof id === "string" ? { id, births } : null;
    if (answer === null) return;
    const { value } = (answer["heads"] as { births: { value: number } }).births;
    this.errors.push(Math.abs(value - births));
  }

  async sendFeedback(model: Watched, feedback: readonly { predictionId: string; label: number }[]): Promise<void> {
    const tally = this.feedback[model];
    const response = await this.#send(model, "feedback", { feedback });
    const body = (await response.json().catch(() => null)) as { results?: { result: string }[] } | null;
    const results = body?.results?.map(({ result }) => result) ?? feedback.map(() => `status ${response.status}`);
    for (const result of results) tally[result] = (tally[result] ?? 0) + 1;
  }

  async #post(model: Watched, path: string, body: unknown): Promise<Record<string, unknown> | null> {
    const response = await this.#send(model, path, body);
    if (response.status === 503 || response.status === 502) {
      await response.text();
      this.unanswered += 1;
      return null;
    }
    const text = await response.text();
    assert.equal(response.status, 200, text);
    this.rows += path.endsWith("batch") ? ridesPerDay : 1;
    return JSON.parse(text) as Record<string, unknown>;
  }

  #send(model: Watched, path: string, body: unknown): Promise<Response> {
    return fetch(`http://${this.#scene.hubs.of(live[model]).domain}/models/${model}/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
  }

  #ride(short: boolean): Ride {
    return {
      km: short ? Math.floor(this.#uniform() * 4) : Math.floor(this.#uniform() * 7),
      minutes: Math.floor(this.#uniform() * 5),
      zones: Math.floor(this.#uniform() * 3),
      airport: this.#uniform() < 0.2 ? 1 : 0,
    };
  }

  #uniform(): number {
    return this.#random.next() / 2 ** 32;
  }
}
