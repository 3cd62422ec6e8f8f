import { describe, expect, it } from "vitest";
import { isQuiet } from "../../../bot/events/quiet-hours.ts";

describe("quiet hours", () => {
  const night = { from: "22:00", to: "07:00" };
  it.each([
    ["none are set", null, "UTC", "2026-11-30T03:00:00Z", false],
    ["the night has begun", night, "UTC", "2026-11-30T22:00:00Z", true],
    ["it is after midnight", night, "UTC", "2026-11-30T06:59:00Z", true],
    ["the night has ended", night, "UTC", "2026-11-30T07:00:00Z", false],
    ["it is night for the team", night, "Asia/Tokyo", "2026-11-30T13:30:00Z", true],
    ["summer time moves the night", night, "Europe/Berlin", "2026-07-30T20:30:00Z", true],
    ["it is lunch", { from: "12:00", to: "13:00" }, "UTC", "2026-11-30T12:30:00Z", true],
    ["lunch is over", { from: "12:00", to: "13:00" }, "UTC", "2026-11-30T13:00:00Z", false],
    ["they are empty", { from: "08:00", to: "08:00" }, "UTC", "2026-11-30T08:00:00Z", false],
  ])("%s", (_, quietHours, timeZone, at, quiet) => {
    expect(isQuiet({ quietHours, timeZone }, Date.parse(at))).toBe(quiet);
  });
});
