import type { Scene } from "../scene/scene.ts";

/** One chapter of a candidate's life. Each sets up what it needs and can be played alone. */
export type Story = {
  number: number;
  /** Whose story it is, where several systems play the same one. */
  system?: string;
  title: string;
  /** What it judges is the time that a model takes: nothing else may be played meanwhile. */
  alone?: true;
  /** It shares nothing with the others, and may be played beside them on a stage of its own. */
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
