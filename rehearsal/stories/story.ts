import type { Scene } from "../scene/scene.ts";

/** One episode of a candidate's life. A story sets up everything that it needs, so it can be played alone. */
export type Story = {
  number: number;
  /** Id of the system that plays it, if several systems play the same story. */
  system?: string;
  title: string;
  /** Set if the story measures latency, so that nothing else may run at the same time. */
  alone?: true;
  /** Set if the story shares nothing with the others and may run in parallel on its own scene. */
  beside?: true;
  /** @param log gets one line per step @throws AssertionError if a service's state is not what the story expects */
  play: (scene: Scene, log: (line: string) => void) => Promise<void>;
};

/** The story's name for `--story`: "4", or "8 mood". A number alone selects the story for every system. */
export const nameOf = ({ number, system }: Story): string =>
  system === undefined ? String(number) : `${number} ${system}`;
export const isCalled = (story: Story, name: string): boolean =>
  name === String(story.number) || name === nameOf(story);
