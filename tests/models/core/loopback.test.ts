import { expect, it } from "vitest";
import { isLoopback } from "../../../models/core/loopback.ts";

it.each<[string, boolean]>([
  ["localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["[::1]", true],
  ["128.0.0.1", false],
  ["127.example.org", false],
  ["localhost.example.org", false],
  ["::2", false],
  ["[::2]", false],
  ["example.org", false],
  ["", false],
])("%s is this machine: %s", (host, wanted) => {
  expect(isLoopback(host)).toBe(wanted);
});
