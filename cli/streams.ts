import cliProgress from "cli-progress";

/** Where a command writes, and its environment. They are parameters so that tests need no process of their own. */
export type Streams = { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream; env: NodeJS.ProcessEnv };

/**
 * Writes a text and waits until it is all written. process.exit() right after a plain write() loses what a pipe has not
 * taken yet.
 */
export function write(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error == null ? resolve() : reject(error)));
  });
}

/** Progress on stderr: bars on a terminal, one line per stage elsewhere. */
export class Progress {
  readonly #stream: NodeJS.WriteStream;
  #bar: cliProgress.SingleBar | null = null;
  #current = "";

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  stage(text: string): void {
    this.#end();
    this.#current = text;
    if (!this.#stream.isTTY) this.#stream.write(`${text}\n`);
  }

  step(text: string, done: number, total: number): void {
    if (!this.#stream.isTTY) return;
    if (text !== this.#current || this.#bar === null) {
      this.#end();
      this.#current = text;
      this.#bar = new cliProgress.SingleBar({
        format: "  {name} {bar} {value}/{total}",
        stream: this.#stream,
        barsize: 24,
        clearOnComplete: true,
        hideCursor: true,
        barCompleteChar: "█",
        barIncompleteChar: "░",
      });
      this.#bar.start(total, done, { name: text });
    }
    this.#bar.update(done);
  }

  note(text: string): void {
    this.#end();
    this.#stream.write(`${text}\n`);
  }

  close(): void {
    this.#end();
  }

  #end(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}
