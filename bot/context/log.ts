export type Log = {
  info: (event: string, fields?: Record<string, unknown>) => void;
  warn: (event: string, fields?: Record<string, unknown>) => void;
};

/** JSON lines, every one through `redact`: libraries put addresses, and so tokens, into their messages. */
export function createLog(write: (line: string) => void, redact: (text: string) => string, now: () => number): Log {
  const line =
    (level: string) =>
    (event: string, fields: Record<string, unknown> = {}) => {
      write(`${redact(JSON.stringify({ time: new Date(now()).toISOString(), level, event, ...fields }))}\n`);
    };
  return { info: line("info"), warn: line("warn") };
}

/** An error as one line that may be logged; the stack stays out. */
export function inWords(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]?.slice(0, 300) ?? "";
}
