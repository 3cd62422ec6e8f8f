/** Patterns of secrets. Each relies on the prefix that the issuer chose so that its secrets can be found. */
const patterns: readonly (readonly [string, RegExp])[] = [
  ["a Hugging Face token", /\bhf_[A-Za-z0-9]{30,}\b/],
  ["a GitHub token", /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})\b/],
  ["an AWS access key", /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/],
  ["a Slack token", /\bxox[abprs]-[A-Za-z0-9-]{10,}\b/],
  ["a Telegram bot token", /\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b/],
  ["a GitLab token", /\bglpat-[A-Za-z0-9_-]{20,}\b/],
  ["an API key", /\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b/],
  ["a private key", /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
];

const names =
  /(^|\/)(\.env(\..*)?|\.netrc|\.npmrc|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|p12|pfx|key|keystore|jks)|\.git(\/.*)?|credentials(\.json)?|secrets?\.(ya?ml|json|toml))$/i;

/** Why a file must not be published, without repeating the secret; null if it may be. */
export function secretIn(path: string, bytes: Uint8Array): string | null {
  if (names.test(path)) return "files of this name hold secrets";
  // Weights and images are not text. A zero byte near the start shows that.
  if (bytes.subarray(0, 8000).includes(0)) return null;
  const text = Buffer.from(bytes).toString("utf8");
  for (const [what, pattern] of patterns) {
    const found = pattern.exec(text);
    if (found !== null) return `${what} on line ${text.slice(0, found.index).split("\n").length}`;
  }
  return null;
}
