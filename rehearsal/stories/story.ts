import type { Scene } from "../scene/scene.ts";

/** One episode of a candidate's life. A story sets up what it needs, so it can be played on its own. */
export type Story = {
  number: number;
  /** Id of the system that plays it, where several systems play the same story. */
  system?: string;
  title: string;
  /** It measures latency, so nothing else may run at the same time. */
  alone?: true;
  /** It shares nothing with the others and may run beside them on a scene of its own. */
  beside?: true;
  /**
   * @param log one line for whoever watches @throws AssertionError where a service's state is not what the story says
   */
  play: (scene: Scene, log: (line: string) => void) => Promise<void>;
};

/** "4", or "8 mood": what `--story` calls it; a number alone stands for every system's. */
export const nameOf = ({ number, system }: Story): string =>
  system === undefined ? String(number) : `${number} ${system}`;
export const isCalled = (story: Story, name: string): boolean =>
  name === String(story.number) || name === nameOf(story);
