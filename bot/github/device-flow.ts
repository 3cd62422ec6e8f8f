import { z } from "zod";

const began = z.looseObject({
  device_code: z.string(),
  user_code: z.string(),
  verification_uri: z.string(),
  expires_in: z.number(),
  interval: z.number(),
});
const loginAnswer = z.union([
  z.looseObject({ access_token: z.string() }),
  z.looseObject({ error: z.string(), interval: z.number().optional() }),
]);

type DeviceCode = { deviceCode: string; userCode: string; url: string; expiresInMs: number; intervalMs: number };
type DeviceAnswer =
  | { kind: "token"; token: string }
  | { kind: "pending"; slowDownMs: number | null }
  | { kind: "ended"; why: string };

/** GitHub's device flow: people prove their identity on github.com, and the bot never sees a password. */
export class DeviceFlow {
  private readonly server: string;
  private readonly clientId: string;
  private readonly transport: typeof fetch;

  /** @param server GITHUB_SERVER_URL, where people log in */
  constructor(server: string, clientId: string, transport: typeof fetch) {
    this.server = server;
    this.clientId = clientId;
    this.transport = transport;
  }

  async begin(): Promise<DeviceCode> {
    const one = began.parse(await this.post("/login/device/code", {}));
    return {
      deviceCode: one.device_code,
      userCode: one.user_code,
      url: one.verification_uri,
      expiresInMs: one.expires_in * 1000,
      intervalMs: one.interval * 1000,
    };
  }

  async ask(deviceCode: string): Promise<DeviceAnswer> {
    const one = loginAnswer.parse(
      await this.post("/login/oauth/access_token", {
        device_code: deviceCode,
        grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      }),
    );
    if ("access_token" in one) return { kind: "token", token: one.access_token as string };
    const { error, interval } = one as { error: string; interval?: number };
    if (error === "authorization_pending") return { kind: "pending", slowDownMs: null };
    if (error === "slow_down") return { kind: "pending", slowDownMs: (interval ?? 10) * 1000 };
    return { kind: "ended", why: error };
  }

  private async post(path: string, body: Record<string, string>): Promise<unknown> {
    const answer = await this.transport(`${this.server}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ client_id: this.clientId, ...body }),
      redirect: "error",
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(`GitHub answered ${answer.status} to ${path}`);
    return await answer.json();
  }
}
