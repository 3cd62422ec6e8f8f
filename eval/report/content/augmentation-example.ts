/** A row beside its altered copy. */
export type AugmentationExample = {
  modelId: string;
  /** Name of the augmentation. */
  name: string;
  /** Id of the row. */
  row: string;
} & (
  | {
      kind: "picture";
      /** In pixels, of both. */
      width: number;
      height: number;
      /** data: URLs */
      before: string;
      after: string;
    }
  | { kind: "text"; before: string; after: string }
);
