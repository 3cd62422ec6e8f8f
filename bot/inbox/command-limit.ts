import { minuteMs } from "../telegram/clock.ts";

/** Counts the commands of each person in each group, so that one person cannot use up what all share. */
export class CommandLimit {
  private readonly begun = new Map<string, number[]>();
  private readonly perMinute: number;

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** Milliseconds until this person may run another command; 0 if now, which is then counted. */
  waitMs(lane: string, now: number): number {
    const recent = (this.begun.get(lane) ?? []).filter((at) => at > now - minuteMs);
    const oldest = recent[recent.length - this.perMinute];
    if (oldest !== undefined) {
      this.begun.set(lane, recent);
      return oldest + minuteMs - now;
    }
    this.begun.set(lane, [...recent, now]);
    return 0;
  }
}
