/**
 * The media type of the standard answer to a prediction, for programs that read every model's: a model may have a JSON
 * of its own (`serving.response`).
 */
export const STANDARD_ANSWER = "application/vnd.sluice.prediction+json";
