import type { Scene } from "../scene/scene.ts";

/** One chapter of a candidate's life. Each sets up what it needs and can be played alone. */
export type Story = {
  number: number;
  title: string;
  /** @param tell one line for whoever watches @throws AssertionError where a service's state is not what the story says */
  play: (scene: Scene, tell: (line: string) => void) => Promise<void>;
};
