/** Where a deployment's progress is written: a job's log or a terminal. */
export type Sink = { line: (text: string) => void; group: (title: string) => void; endGroup: () => void };

type TimelineEntry = { stage: string; ms: number; note: string };

/** Writes one line per stage as it happens, and keeps all stages for a table at the end. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  readonly #sink: Sink;
  readonly #monotonic: () => number;
  readonly #began: number;
  #inLog = false;
  #lastNote = "";

  /** @param monotonic milliseconds on a clock that is never set */
  constructor(sink: Sink, monotonic: () => number) {
    this.#sink = sink;
    this.#monotonic = monotonic;
    this.#began = monotonic();
  }

  stage(stage: string, note = ""): void {
    this.#closeLog();
    this.#lastNote = "";
    const ms = Math.round(this.#monotonic() - this.#began);
    this.entries.push({ stage, ms, note });
    this.#sink.line(`[${(ms / 1000).toFixed(1).padStart(6)} s] ${stage}${note === "" ? "" : `: ${note}`}`);
  }

  note(text: string): void {
    this.#closeLog();
    // A note that repeats while waiting is written once.
    if (text === this.#lastNote) return;
    this.#lastNote = text;
    this.#sink.line(`           ${text}`);
  }

  /** A line from one of the Space's logs, in a group of its own. */
  log(line: string): void {
    if (!this.#inLog) this.#sink.group("build log of the Space");
    this.#inLog = true;
    this.#sink.line(line);
  }

  close(): void {
    this.#closeLog();
  }

  #closeLog(): void {
    if (this.#inLog) this.#sink.endGroup();
    this.#inLog = false;
  }
}
