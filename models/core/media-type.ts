/**
 * Media type of the standard prediction response. A model may answer with JSON of its own (`serving.response`);
 * programs that read the answers of any model ask for this type.
 */
export const STANDARD_ANSWER = "application/vnd.sluice.prediction+json";
