import type { Annotation, JobRecord } from "./platform.ts";
import type { Masks } from "./masks.ts";

/** Number of annotations kept per step and level, as on GitHub. */
const annotationLimit = 10;
const unescapeMessage = (text: string) => text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
const unescapeProperty = (text: string) => unescapeMessage(text.replaceAll("%3A", ":").replaceAll("%2C", ","));

type CommandResults = {
  setOutput: (name: string, value: string) => void;
  saveState: (name: string, value: string) => void;
};

/** A job's log and annotations. It parses the workflow commands that the steps print. */
export class JobLog {
  readonly #job: JobRecord;
  readonly #masks: Masks;
  #stopToken: string | null = null;
  #counts: Record<Annotation["level"], number> = { notice: 0, warning: 0, failure: 0 };

  constructor(job: JobRecord, masks: Masks) {
    this.#job = job;
    this.#masks = masks;
  }

  write(line: string): void {
    this.#job.log += `${this.#masks.apply(line)}\n`;
  }

  startStep(): void {
    this.#stopToken = null;
    this.#counts = { notice: 0, warning: 0, failure: 0 };
  }

  error(message: string): void {
    this.#annotate("failure", message, {});
  }
  warning(message: string): void {
    this.#annotate("warning", message, {});
  }

  /** A line that a step printed. */
  line(line: string, results: CommandResults): void {
    const [, name, properties = "", message = ""] = /^\s*::([a-zA-Z-]+|[^\s:]+)(?:\s+(.*?))?::(.*)$/.exec(line) ?? [];
    if (this.#stopToken !== null) {
      if (name === this.#stopToken) this.#stopToken = null;
      this.write(line);
      return;
    }
    const values = Object.fromEntries(
      properties
        .split(",")
        .map((one) => one.split("="))
        .filter((pair) => pair.length >= 2)
        .map(([key, ...rest]) => [(key as string).trim(), unescapeProperty(rest.join("="))]),
    );
    const text = unescapeMessage(message);
    switch (name) {
      case "add-mask":
        this.#masks.add(text);
        this.write("::add-mask::***");
        break;
      case "error":
        this.#annotate("failure", text, values);
        break;
      case "warning":
        this.#annotate("warning", text, values);
        break;
      case "notice":
        this.#annotate("notice", text, values);
        break;
      case "group":
        this.write(`##[group]${text}`);
        break;
      case "endgroup":
        this.write("##[endgroup]");
        break;
      case "debug":
      case "echo":
      case "add-matcher":
      case "remove-matcher":
        break;
      case "stop-commands":
        this.#stopToken = text;
        this.write(line);
        break;
      case "set-output":
        results.setOutput(values["name"] ?? "", text);
        this.warning("The `set-output` command is deprecated and will be disabled soon.");
        break;
      case "save-state":
        results.saveState(values["name"] ?? "", text);
        this.warning("The `save-state` command is deprecated and will be disabled soon.");
        break;
      default:
        this.write(line);
    }
  }

  #annotate(level: Annotation["level"], message: string, values: Readonly<Record<string, string>>): void {
    this.write(`##[${level === "failure" ? "error" : level}]${message}`);
    this.#counts[level] += 1;
    if (this.#counts[level] > annotationLimit) return;
    const line = Number.parseInt(values["line"] ?? "", 10);
    this.#job.annotations.push({
      level,
      title: this.#masks.apply(values["title"] ?? ""),
      message: this.#masks.apply(message),
      path: values["file"] ?? null,
      line: Number.isNaN(line) ? null : line,
    });
  }
}
