/** One request and its answer, as it went over the wire. */
export type Exchange = {
  method: string;
  path: string;
  query: Record<string, string>;
  authorization: string | null;
  body: unknown;
  status: number;
  answer: unknown;
};

/** Something that goes wrong `times` times on requests that match. */
export type Fault = {
  method: string;
  path: RegExp;
  times: number;
  /** Requests that match and pass unharmed first. */
  skip?: number;
  does:
    | { kind: "answer"; status: number; message: string; headers?: Record<string, string> }
    | { kind: "hang" }
    | { kind: "reset" }
    | { kind: "accept-then-fail"; status: number }
    | { kind: "accept-then-reset" }
    /** Something outside happens when the request is done, such as the end of the process that asked. */
    | { kind: "accept-then"; run: () => void };
};

/** The fault that a request meets, used up by it. */
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
