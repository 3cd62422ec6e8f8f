import { createVerify, generateKeyPairSync } from "node:crypto";
import { expect, it } from "vitest";
import { appJwt } from "../../github/app-token.ts";

it("an App's token is signed by its key, and lives for less than GitHub's ten minutes", () => {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const token = appJwt("12", privateKey.export({ type: "pkcs8", format: "pem" }).toString(), 1_000_000_000);
  const [head = "", body = "", signature = ""] = token.split(".");
  expect(createVerify("RSA-SHA256").update(`${head}.${body}`).verify(publicKey, signature, "base64url")).toBe(true);
  expect(JSON.parse(Buffer.from(body, "base64url").toString())).toEqual({ iat: 999_940, exp: 1_000_540, iss: "12" });
});
