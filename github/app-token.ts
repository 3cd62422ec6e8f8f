import { createSign } from "node:crypto";
import type { Client } from "./client.ts";
import type { Repository } from "./runner.ts";

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/**
 * The token by which a GitHub App proves to be itself, for nine minutes.
 * https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
 *
 * @param privateKey PEM
 */
export function appJwt(appId: string, privateKey: string, nowMs: number): string {
  const seconds = Math.floor(nowMs / 1000);
  // A minute earlier: the clocks may differ.
  const unsigned = `${base64({ alg: "RS256", typ: "JWT" })}.${base64({ iat: seconds - 60, exp: seconds + 540, iss: appId })}`;
  return `${unsigned}.${createSign("RSA-SHA256").update(unsigned).sign(privateKey, "base64url")}`;
}

/**
 * A token of the App's installation in one repository, for an hour, with no more than these permissions.
 * @param octokit signed in with `appJwt`
 */
export async function installationToken(
  octokit: Client,
  { owner, repo }: Repository,
  permissions: { contents: "write"; pull_requests: "write" },
): Promise<string> {
  const { data: installation } = await octokit.rest.apps.getRepoInstallation({ owner, repo });
  const { data } = await octokit.rest.apps.createInstallationAccessToken({
    installation_id: installation.id,
    repositories: [repo],
    permissions,
  });
  return data.token;
}
