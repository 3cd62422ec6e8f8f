import { basename } from "node:path";
import { SluiceError, type Diagnostic } from "../../../models/core/errors.ts";
import type { ServedModel } from "./served-model.ts";

/** Loads one version of a model. Remote backends have a loader of their own. */
export type Loader = (dir: string) => Promise<ServedModel>;

type SlotState =
  | { kind: "loading" }
  | { kind: "ready"; model: ServedModel }
  | { kind: "broken"; diagnostic: Diagnostic };

/** A model's place in the server, whatever its state. `reload` is the last attempt to replace a ready model. */
export type Slot = {
  id: string;
  dir: string;
  /** Fingerprint of the folder when its content was last read; empty before that. */
  loadedFrom: string;
  state: SlotState;
  reload: { at: string; ok: boolean; diagnostic: Diagnostic | null } | null;
  reloads: number;
};

export type RegistryEvents = {
  loaded(slot: Slot, model: ServedModel): void;
  failed(slot: Slot, diagnostic: Diagnostic): void;
  replaced(slot: Slot, from: ServedModel, to: ServedModel): void;
};

export type Registry = {
  slots(): readonly Slot[];
  find(id: string): Slot | undefined;
  /** The model behind /predict. */
  defaultSlot(): Slot;
  /** Whether the default model answers and every other model is ready or known to be broken. */
  ready(): boolean;
  loadAll(): Promise<void>;
  /**
   * Opens and checks the folder's present content, swaps the model and drains the old one. After a failure the old one
   * goes on serving.
   */
  reload(slot: Slot): Promise<void>;
  close(): Promise<void>;
};

/**
 * The models of one process. A model that cannot be loaded is reported in its slot and does not affect the others.
 *
 * @param dirs folders of model.yaml. The default is the one whose folder or id is `defaultModel`, otherwise the first.
 * @param fingerprint changes when a folder's content does.
 */
export function createRegistry(
  dirs: readonly string[],
  defaultModel: string | undefined,
  load: Loader,
  fingerprint: (dir: string) => Promise<string>,
  events: RegistryEvents,
): Registry {
  const slots: Slot[] = dirs.map((dir) => ({
    id: basename(dir),
    dir,
    loadedFrom: "",
    state: { kind: "loading" },
    reload: null,
    reloads: 0,
  }));
  const retired = new Set<Promise<void>>();
  const reloading = new Map<Slot, Promise<void>>();
  let closed = false;

  const attempt = async (slot: Slot): Promise<ServedModel> => {
    // Taken before the folder is read, so that a later change is noticed.
    slot.loadedFrom = await fingerprint(slot.dir);
    const model = await load(slot.dir);
    if (slots.some((other) => other !== slot && other.id === model.id && other.state.kind !== "broken")) {
      await model.close();
      throw new SluiceError({
        code: "model-id",
        problem: "two models have the same id",
        place: slot.dir,
        expected: "an id of its own",
        received: model.id,
      });
    }
    return model;
  };

  const first = async (slot: Slot) => {
    try {
      const model = await attempt(slot);
      slot.id = model.id;
      slot.state = { kind: "ready", model };
      events.loaded(slot, model);
    } catch (error) {
      slot.state = { kind: "broken", diagnostic: diagnosticOf(error) };
      events.failed(slot, slot.state.diagnostic);
    }
  };

  const replace = async (slot: Slot) => {
    if (closed) return;
    const at = new Date().toISOString();
    try {
      const model = await attempt(slot);
      const before = slot.state;
      slot.id = model.id;
      slot.state = { kind: "ready", model };
      slot.reload = { at, ok: true, diagnostic: null };
      slot.reloads++;
      if (before.kind === "ready") {
        events.replaced(slot, before.model, model);
        retire(before.model);
      } else events.loaded(slot, model);
    } catch (error) {
      const diagnostic = diagnosticOf(error);
      slot.reload = { at, ok: false, diagnostic };
      if (slot.state.kind !== "ready") slot.state = { kind: "broken", diagnostic };
      events.failed(slot, diagnostic);
    }
  };

  const retire = (model: ServedModel) => {
    const closing = model
      .close()
      .catch(() => {})
      .finally(() => retired.delete(closing));
    retired.add(closing);
  };

  const registry: Registry = {
    slots: () => slots,
    find: (id) => slots.find((slot) => slot.id === id),
    defaultSlot: () => slots.find((slot) => slot.id === defaultModel) ?? slots[0]!,
    ready: () => registry.defaultSlot().state.kind === "ready" && slots.every((slot) => slot.state.kind !== "loading"),
    async loadAll() {
      // One after the other: two at once would distort each other's measurements.
      for (const slot of slots) await first(slot);
    },
    async reload(slot) {
      // A change during a reload causes another reload afterwards, never two at once.
      const before = reloading.get(slot) ?? Promise.resolve();
      const mine = before
        .then(() => replace(slot))
        .finally(() => {
          if (reloading.get(slot) === mine) reloading.delete(slot);
        });
      reloading.set(slot, mine);
      await mine;
    },
    async close() {
      closed = true;
      await Promise.all(reloading.values());
      await Promise.all([
        ...retired,
        ...slots.map((slot) => (slot.state.kind === "ready" ? slot.state.model.close() : Promise.resolve())),
      ]);
    },
  };
  return registry;
}

function diagnosticOf(error: unknown): Diagnostic {
  if (error instanceof SluiceError) return error.diagnostic;
  return { code: "model-failed", problem: String((error as Error)?.message ?? error).split("\n", 1)[0]! };
}
