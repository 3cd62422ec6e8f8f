import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const preload = join(import.meta.dirname, "shifted-clock.mjs");

/** The time that some processes of a story see. It starts as the true time and can be set, forwards only in a story. */
export class Clock {
  readonly #file: string;

  /** @param folder where the file lies that the processes read */
  constructor(folder: string, name: string) {
    this.#file = join(folder, `${name}.clock`);
    this.#write(0);
  }

  /** For the environment of a process that shall see this time. */
  get env(): { NODE_OPTIONS: string; REHEARSAL_CLOCK: string } {
    return { NODE_OPTIONS: `--import=${preload}`, REHEARSAL_CLOCK: this.#file };
  }

  /** Resolves when every process sees it. @param at milliseconds since 1970 */
  async set(at: number): Promise<void> {
    this.#write(at - Date.now());
    await sleep(3);
  }

  #write(shiftMs: number): void {
    // A process must never read half a file.
    writeFileSync(`${this.#file}.next`, String(Math.round(shiftMs)));
    renameSync(`${this.#file}.next`, this.#file);
  }
}
