/** One request and its answer, as transferred. */
export type Exchange = {
  method: string;
  path: string;
  query: Record<string, string>;
  authorization: string | null;
  body: unknown;
  status: number;
  answer: unknown;
};

/** A fault that hits `times` matching requests. */
export type Fault = {
  method: string;
  path: RegExp;
  times: number;
  /** Number of matching requests to let pass first. */
  skip?: number;
  does:
    | { kind: "answer"; status: number; message: string; headers?: Record<string, string> }
    | { kind: "hang" }
    | { kind: "reset" }
    | { kind: "accept-then-fail"; status: number }
    | { kind: "accept-then-reset" }
    /** `run` is called after the request was carried out, for example to kill the process that sent it. */
    | { kind: "accept-then"; run: () => void };
};

/** The fault that hits a request, if any. This uses up one of its `times`. */
export function takeFault(faults: readonly Fault[], method: string, path: string): Fault | undefined {
  for (const fault of faults) {
    if (fault.times <= 0 || fault.method !== method || !fault.path.test(path)) continue;
    if ((fault.skip ?? 0) > 0) {
      fault.skip = fault.skip! - 1;
      return undefined;
    }
    fault.times -= 1;
    return fault;
  }
  return undefined;
}
