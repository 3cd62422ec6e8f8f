/** One line of the doctor's output. `fix` says what to do; null if there is nothing to do. */
export type Finding = { name: string; status: "ok" | "warning" | "broken"; says: string; fix: string | null };

export type DoctorDeps = { root: string; config: string; bot: string; env: NodeJS.ProcessEnv; fetch: typeof fetch };

export const ok = (name: string, says: string): Finding => ({ name, status: "ok", says, fix: null });
export const warning = (name: string, says: string, fix: string): Finding => ({ name, status: "warning", says, fix });
export const broken = (name: string, says: string, fix: string): Finding => ({ name, status: "broken", says, fix });

/** Time limit of one request to a service. */
export const timeoutMs = 10_000;

export type Answer =
  | { reached: true; status: number; body: unknown; headers: Headers }
  | { reached: false; why: string };

/** One GET or HEAD with a time limit. A failure is returned as text, never thrown. */
export async function ask(
  transport: typeof fetch,
  url: string,
  {
    token = null,
    method = "GET",
    headers = {},
  }: { token?: string | null; method?: "GET" | "HEAD"; headers?: Record<string, string> } = {},
): Promise<Answer> {
  try {
    const answer = await transport(url, {
      method,
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
      headers: { ...headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    });
    const text = await answer.text();
    let body: unknown = null;
    try {
      body = JSON.parse(text.slice(0, 1_000_000));
    } catch {
      /* Some say it in HTML. */
    }
    return { reached: true, status: answer.status, body, headers: answer.headers };
  } catch (error) {
    const cause =
      error instanceof Error && error.cause instanceof Error && "code" in error.cause
        ? ` (${String(error.cause.code)})`
        : "";
    const late = error instanceof Error && error.name === "TimeoutError";
    return {
      reached: false,
      why: late
        ? `${new URL(url).host} did not answer within ${timeoutMs / 1000} s`
        : `${URL.canParse(url) ? new URL(url).host : "the address"} could not be reached${cause}`,
    };
  }
}

/** The first line of an error's message. */
export function inWords(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0] ?? "";
}
