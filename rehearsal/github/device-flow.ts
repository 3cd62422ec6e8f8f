/** Logins by GitHub's device flow. */
export type Logins = {
  /** Token → login of its owner. */
  tokens: Record<string, string>;
  device: {
    clientId: string;
    /**
     * Device code → the code that the person has to enter, and whether they entered it (`login`) or refused (`denied`).
     */
    codes: Record<string, { userCode: string; login: string | null; denied: boolean }>;
    intervalSeconds: number;
  };
};

export const noLogins = (): Logins => ({
  tokens: {},
  device: { clientId: "Iv1.standin", codes: {}, intervalSeconds: 0.2 },
});

/** The answers below /login; null for a path that GitHub does not have. */
export function deviceFlow(
  { device, tokens }: Logins,
  method: string,
  path: string,
  body: Readonly<Record<string, unknown>>,
  origin: string,
): { status: number; body: unknown } | null {
  if (method !== "POST") return null;
  const answer = (fields: object) => ({ status: 200, body: fields });
  if (body["client_id"] !== device.clientId) return answer({ error: "incorrect_client_credentials" });
  if (path === "/login/device/code") {
    const count = Object.keys(device.codes).length;
    const code = `device-${count + 1}`;
    const userCode = `ABCD-${1000 + count}`;
    device.codes[code] = { userCode, login: null, denied: false };
    return answer({
      device_code: code,
      user_code: userCode,
      verification_uri: `${origin.replace("127.0.0.1", "github.example.org")}/login/device`,
      expires_in: 900,
      interval: device.intervalSeconds,
    });
  }
  const code = device.codes[String(body["device_code"])];
  if (path !== "/login/oauth/access_token" || code === undefined) return answer({ error: "incorrect_device_code" });
  if (code.denied) return answer({ error: "access_denied" });
  if (code.login === null) return answer({ error: "authorization_pending" });
  const token = `ghu_standin${code.login}0123456789`;
  tokens[token] = code.login;
  return answer({ access_token: token, token_type: "bearer", scope: "" });
}
