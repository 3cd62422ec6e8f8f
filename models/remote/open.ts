import { openFallbackModel } from "./fallback.ts";
import type { FallbackManifest, RemoteManifest } from "./manifest.ts";
import { openRemoteModel, type RemoteDeps, type RemoteEvents, type RemoteModel } from "./model.ts";

/** A model without an artifact, whatever answers for it. @throws as `openRemoteModel` */
export function openRemote(
  manifest: RemoteManifest | FallbackManifest,
  events: RemoteEvents,
  deps: RemoteDeps,
): RemoteModel {
  return manifest.backend === "fallback"
    ? openFallbackModel(manifest, events, deps)
    : openRemoteModel(manifest, events, deps);
}
