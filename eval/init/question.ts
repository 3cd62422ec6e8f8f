/** What a person may have said beforehand, by flag or in the dialogue. What is absent is open. */
export type Answers = {
  id?: string;
  task?: string;
  /** Column with the true value. */
  label?: string;
  /** Classes in the order of the graph's. */
  labels?: readonly string[];
  /** Value in the data → class. */
  map?: Readonly<Record<string, string>>;
  positive?: string;
  /** Columns of the one vector, in order. */
  features?: readonly string[];
  /** Column with the text, or with the picture. */
  text?: string;
  image?: string;
  idColumn?: string;
  group?: string;
  time?: string;
  slices?: readonly string[];
};

/** Something that files do not tell. `guess` is what is taken when nobody answers. */
export type Question = {
  key: "label" | "labels" | "features" | "text" | "slices";
  flag: string;
  asks: string;
  /** Why it is asked. */
  because: string;
  choices: readonly string[];
  guess: string;
};

/** Where what was decided comes from; a guess is marked in the file. */
export type Note = { about: string; says: string; guess: boolean };
