import { chat, textOf, type Scene } from "../../scene/scene.ts";
import type { Watched } from "./team.ts";

const dayMs = 86_400_000;

/** Something that was really wrong with a live model, by day; `to` is null while it lasts. */
export type Trouble = { model: Watched; what: string; from: number; to: number | null };
/** Something that the bot told. `trouble`: what it was about; null for a false alert. */
type Alert = { model: Watched; day: number; state: string; trouble: Trouble | null; closed: number | null };

/** What people were told of the live models, beside what was really wrong. Days count from the story's first. */
export class Ledger {
  readonly #scene: Scene;
  readonly #start: number;
  readonly troubles: Trouble[] = [];
  readonly alerts: Alert[] = [];
  /** Model → day → how the look ended. */
  readonly #marks = new Map<Watched, Map<number, string>>();
  looks = 0;

  /** @param start when the first day begins, in milliseconds since 1970 */
  constructor(scene: Scene, start: number) {
    this.#scene = scene;
    this.#start = start;
  }

  timeOf(day: number, hour: number): number {
    return this.#start + day * dayMs + hour * 3_600_000;
  }

  begins(model: Watched, what: string, from: number): Trouble {
    const trouble: Trouble = { model, what, from, to: null };
    this.troubles.push(trouble);
    return trouble;
  }

  /** Lets the bot look at the end of a day, and takes down what it says then. */
  async look(day: number, models: readonly Watched[]): Promise<void> {
    await this.#scene.clocks!.bot.set(this.timeOf(day, 20));
    for (const model of models) this.#note(day, model, await this.#state(day, model));
    this.looks += 1;
  }

  /** What `/watch` answers about a model, as soon as it was looked at today. */
  async #state(day: number, model: Watched): Promise<string> {
    const { telegram, people } = this.#scene;
    for (let tries = 0; tries < 40; tries++) {
      telegram.people.says(people.lena, `/watch ${model}`, { chat });
      const asked = telegram.state.chats.get(chat)?.lastMessageId ?? 0;
      const answer = await this.#scene.until(
        () =>
          this.#scene
            .said()
            .filter(({ message_id }) => message_id > asked)
            .map(textOf)
            .find((text) => text.startsWith(`${model} `) || text.startsWith(`${model}:`)),
        `an answer to /watch ${model} on day ${day}`,
      );
      if (/looked at [01] min ago/.test(answer)) return answer;
      await new Promise((resolve) => {
        setTimeout(resolve, 150);
      });
    }
    throw new Error(
      `the bot does not look at ${model} on day ${day}:\n${this.#scene.bot?.log().slice(-2000)}\n${this.#scene.chats().slice(-1500)}`,
    );
  }

  #note(day: number, model: Watched, said: string): void {
    const state = /alert (FAIL|UNREACHABLE) since/.exec(said)?.[1] ?? null;
    const open = this.alerts.findLast((one) => one.model === model && one.closed === null);
    if (open !== undefined && open.state !== state) open.closed = day;
    if (state !== null && open?.state !== state) {
      const trouble =
        this.troubles.find((one) => one.model === model && one.from <= day && (one.to === null || day <= one.to)) ??
        null;
      this.alerts.push({ model, day, state, trouble, closed: null });
    }
    const marks = this.#marks.get(model) ?? new Map<number, string>();
    const isPass = /^\S+ \S+: \S* ?PASS/.test(said);
    marks.set(day, state === null ? (isPass ? "─" : "·") : state === "FAIL" ? "█" : "▒");
    this.#marks.set(model, marks);
  }

  /** Counts, delays, and one line per model in which a character is a few days. */
  lines(): string[] {
    const whole = Math.max(...[...this.#marks.values()].flatMap((marks) => [...marks.keys()])) + 1;
    const step = Math.ceil(whole / 80);
    const column = (day: number) => Math.floor(day / step);
    const drawn = [...this.#marks].flatMap(([model, marks]) => {
      const row = Array.from({ length: column(whole - 1) + 1 }, () => " ");
      // A later look covers an earlier one, except that no alert is covered.
      for (const [day, mark] of marks) if (!"█▒".includes(row[column(day)]!)) row[column(day)] = mark;
      for (let i = 1; i < row.length; i++) if (row[i] === " ") row[i] = row[i - 1]!;
      const true_ = row.map(() => " ");
      for (const { from, to } of this.troubles.filter((one) => one.model === model))
        for (let i = column(from); i <= column(to ?? whole - 1); i++) true_[i] = "▔";
      return [`  ${model.padEnd(7)} ${row.join("")}`, `  ${"".padEnd(7)} ${true_.join("")}`];
    });
    const right = this.alerts.filter(({ trouble }) => trouble !== null);
    return [
      `  ${this.alerts.length} alerts in ${whole} days and ${this.looks} looks: ${right.length} true, ${this.alerts.length - right.length} false`,
      ...this.alerts.map(
        ({ model, day, state, trouble, closed }) =>
          `    day ${String(day).padStart(4)}  ${model.padEnd(7)} ${state.padEnd(11)} ${trouble === null ? "false: nothing was wrong" : `true: ${trouble.what}, ${day - trouble.from} days after it began`}${closed === null ? "" : `; closed on day ${closed}`}`,
      ),
      ...this.#unseen(),
      `  one character is ${step} days; █ alert, ▒ unreachable, ─ PASS, · too little to decide; ▔ something is wrong`,
      ...drawn,
    ];
  }

  /** Troubles without an alert, those of one kind in one line. */
  #unseen(): string[] {
    const unseen = this.troubles.filter((one) => !this.alerts.some(({ trouble }) => trouble === one));
    return [...Map.groupBy(unseen, ({ model, what }) => `${model.padEnd(7)} no alert of: ${what}`)].map(
      ([words, spells]) =>
        `    ${words}, ${spells.length} times, ${spells.reduce((sum, { from, to }) => sum + (to ?? from) - from, 0)} days in all, from day ${spells[0]!.from} on`,
    );
  }
}
