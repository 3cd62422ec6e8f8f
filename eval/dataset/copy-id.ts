/** The id of a row's altered copy. The row's own follows the first slash, because no augmentation has one in its name. */
export const copyId = (augmentation: string, rowId: string) => `${augmentation}/${rowId}`;

/** The row that a copy was made of. */
export const originOf = (id: string) => id.slice(id.indexOf("/") + 1);
