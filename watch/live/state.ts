import { mergeHours, type HourCounts, type LiveCounts } from "../../models/profile/live.ts";
import type { ChangeState, WatchState } from "../schema/state.ts";

const DAY_MS = 86_400_000;
/** A server keeps two weeks of hours, and may still change them: labels come late. */
const SERVER_DAYS = 14;
const KEPT_DAYS = 120;

export const emptyState = (): WatchState => ({ schemaVersion: 1, models: {} });

/**
 * Takes what a server answered into the state. An instance that was seen before is replaced, because its counts only
 * grow; a new instance (a replica, or the same server after a restart) is added. With another profile everything
 * begins anew: what was counted on other cells cannot be compared.
 */
export function withLive(state: WatchState, live: LiveCounts, now: Date): WatchState {
  const { profileSha256 } = live;
  if (profileSha256 === null) return state;
  const { id } = live.model;
  const known = Object.hasOwn(state.models, id) ? state.models[id] : undefined;
  const before = known?.profileSha256 === profileSha256 ? known : { profileSha256, instances: [], days: [] };
  const earlier = before.instances.find((one) => one.id === live.instance.id);
  const reported = new Set(live.hours.map(({ hour }) => hour));
  // What the server itself has let go of stays.
  const hours = [...(earlier?.hours ?? []).filter(({ hour }) => !reported.has(hour)), ...live.hours];
  const instance = { ...live.instance, seenAt: live.at, hours: hours.toSorted((a, b) => (a.hour < b.hour ? -1 : 1)) };
  return {
    ...state,
    models: {
      ...state.models,
      [id]: aged({ ...before, instances: [...before.instances.filter((one) => one !== earlier), instance] }, now),
    },
  };
}

type ModelState = WatchState["models"][string];

/** Hours that no server reports any more become days, and very old days go. */
function aged({ instances, days, ...rest }: ModelState, now: Date): ModelState {
  const limit = new Date(now.getTime() - SERVER_DAYS * DAY_MS).toISOString().slice(0, 10);
  const oldest = new Date(now.getTime() - KEPT_DAYS * DAY_MS).toISOString().slice(0, 10);
  const old = instances.flatMap(({ hours }) => hours.filter(({ hour }) => hour.slice(0, 10) < limit));
  return {
    ...rest,
    instances: instances
      .map((one) => ({ ...one, hours: one.hours.filter(({ hour }) => hour.slice(0, 10) >= limit) }))
      .filter((one) => one.hours.length > 0),
    days: mergeHours([days, old.map((one) => ({ ...one, hour: `${one.hour.slice(0, 10)}T00` }))]).filter(
      ({ hour }) => hour.slice(0, 10) >= oldest,
    ),
  };
}

/** What is kept of each figure by labels, by the id of its check. */
export function changesOf(state: WatchState, model: string): Readonly<Record<string, ChangeState>> {
  return (Object.hasOwn(state.models, model) ? state.models[model]?.changes : undefined) ?? {};
}

export function withChanges(state: WatchState, model: string, changes: Record<string, ChangeState>): WatchState {
  const known = Object.hasOwn(state.models, model) ? state.models[model] : undefined;
  return known === undefined ? state : { ...state, models: { ...state.models, [model]: { ...known, changes } } };
}

/** Every hour (and old day) of a model, over all of its instances. */
export function hoursOf(state: WatchState, model: string): HourCounts[] {
  const found = Object.hasOwn(state.models, model) ? state.models[model] : undefined;
  return found === undefined ? [] : mergeHours([found.days, ...found.instances.map(({ hours }) => hours)]);
}

/** Instances that counted anything since a time. */
export function instancesSince(state: WatchState, model: string, from: string): number {
  const found = Object.hasOwn(state.models, model) ? state.models[model] : undefined;
  return (found?.instances ?? []).filter(({ hours }) => hours.some(({ hour }) => hour >= from.slice(0, 13))).length;
}
