import type { ArtifactDeps } from "../../../models/core/artifact/artifact.ts";
import { segmentStep } from "../../../models/core/manifest/segment.ts";
import type { LoadedManifest } from "../../../models/core/predictor/load.ts";
import { openSegmentGraph } from "../../../models/core/predictor/segmented.ts";
import type { VoiceActivity } from "../../../models/core/speech/voice-activity.ts";
import type { SpeechModel } from "./served-model.ts";

/** What streams need of a model whose manifest cuts its sound; `close` frees the graph that a stream has opened. */
export function speechOf(
  loaded: LoadedManifest,
  deps: ArtifactDeps,
): { speech: SpeechModel; close: () => Promise<void> } | null {
  const { segment, preprocess, postprocess } = loaded.manifest;
  const step = segment === undefined ? undefined : preprocess[segmentStep(segment, preprocess) ?? ""];
  if (segment === undefined || step?.kind !== "audio") return null;
  let opened: Promise<VoiceActivity> | null = null;
  return {
    speech: {
      field: step.field,
      rate: step.rate,
      maxSeconds: step.maxSeconds,
      heads: postprocess.map(({ name }) => name),
      settings: segment,
      activity: () => (opened ??= openSegmentGraph(loaded, deps)),
    },
    close: async () => {
      await (await opened)?.close();
    },
  };
}
