import cliProgress from "cli-progress";

/**
 * Where a command writes, and the environment that it reads. They are parameters so that tests can replace the
 * terminal.
 */
export type Streams = { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream; env: NodeJS.ProcessEnv };

/**
 * Resolves when the whole text has been written. Calling process.exit() right after write() would lose what a pipe has
 * not taken yet.
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
