/** What a problem's `code` means, and what its reader can do. `type` links lead to these words at /problems/CODE. */
export const problemTypes = {
  "after-end": {
    means: "Something was sent on the stream after its end.",
    next: 'Send {"type":"end"} last.',
  },
  "api-key": {
    means: "This server answers only with an API key, and none that it knows came with the request.",
    next: "Send Authorization: Bearer KEY, with a key from whoever runs the server.",
  },
  "bad-form": {
    means: "The body is not multipart/form-data as its Content-Type says.",
    next: "Let the HTTP library write the form, with its boundary; files go into the model's field.",
  },
  "bad-header": {
    means: "A header has a value that the server cannot read.",
    next: "The detail names the header and what it may hold.",
  },
  "bad-job": {
    means: "The job's settings are not ones that the server takes.",
    next: "errors[] names the setting and what it may hold; docs/jobs.md lists them.",
  },
  "bad-json": {
    means: "The body is not JSON in UTF-8.",
    next: "Look at the place that the detail names: often a trailing comma, single quotes, NaN, or a body cut short.",
  },
  "bad-message": {
    means: "The stream got a message that it does not know.",
    next: 'Send sound as binary messages, and {"type":"end"} as the only text.',
  },
  "bad-query": {
    means: "A query parameter has a value that the server cannot read.",
    next: "errors[] names the parameter and what it may hold.",
  },
  "bad-request": {
    means: "The request is not one that HTTP or this server allows.",
    next: "The detail says why; GET /openapi.json describes every request.",
  },
  "bad-row": {
    means: "The input does not fit the model: a field is missing, of another type, or out of what the model accepts.",
    next: "errors[] names each field with what was expected, what came and an example; GET /models/ID lists the inputs.",
  },
  "bad-url": {
    means: "The path is not a valid URL.",
    next: "Percent-encode what is not a letter, a digit or one of - . _ ~ /.",
  },
  "body-too-large": {
    means: "The body is larger than the server takes.",
    next: "Send fewer rows at a time or a smaller file; whoever runs the server can raise --max-body.",
  },
  cancelled: {
    means: "The client closed the connection before the answer was made.",
    next: "Nothing is wrong with the request; wait longer for the answer.",
  },
  "candidate-not-ready": {
    means: "The candidate is not loaded, so no step can begin.",
    next: "GET /models/ID/rollout tells its state; send the command again when it is ready.",
  },
  "circuit-open": {
    means: "The provider of this model failed often in the last moments, so it is not asked for now.",
    next: "Send the request again after Retry-After.",
  },
  "content-encoding": {
    means: "The body is compressed in a way that the server does not read, or not as Content-Encoding says.",
    next: "Send it uncompressed, or with gzip, deflate or br and the matching header.",
  },
  "content-length": {
    means: "Content-Length is not the number of bytes that came.",
    next: "Let the HTTP library set it.",
  },
  deadline: {
    means: "The answer was not ready within the time limit of the request.",
    next: "Send the request again later, with fewer rows, or with a longer x-request-timeout-ms.",
  },
  draining: {
    means: "The server is about to stop and takes no more work.",
    next: "Send the request again after Retry-After: another server or the next one answers.",
  },
  "empty-body": {
    means: "The request has no body.",
    next: "Send the input as JSON; GET /models/ID has an example.",
  },
  "engine-lost": {
    means: "The process that runs the model ended; it is being started again.",
    next: "Send the request again after Retry-After.",
  },
  "feature-store": {
    means: "The table that the model looks its features up in does not answer.",
    next: "Send the request again after Retry-After; the server's log says more.",
  },
  "feedback-conflict": {
    means: "This prediction has another label already.",
    next: "The first label is kept. Correct it where the labels come from, and send new predictions' labels.",
  },
  "feedback-invalid": {
    means: "The label is not one that the model's answer can have.",
    next: "errors[] names the field and what it may hold.",
  },
  "feedback-unknown": {
    means: "The prediction is not known here: it is too old, was made by another server, or its id is wrong.",
    next: "Send labels soon, to the server that answered, with the predictionId of the answer.",
  },
  feeds: {
    means: "The tensors are not those that the graph takes.",
    next: "GET /v2/models/ID describes names, types and shapes.",
  },
  "headers-too-large": {
    means: "The request's headers are larger than the server takes.",
    next: "Send fewer or shorter headers; cookies of other sites on the same name are a common cause.",
  },
  idle: {
    means: "Nothing came on the stream for too long.",
    next: "Send sound as it is recorded, silence too, or end the stream.",
  },
  "inference-request": {
    means: "The request is not one of the Open Inference Protocol, version 2.",
    next: "The detail names the place; GET /v2/models/ID describes the tensors.",
  },
  "input-too-large": {
    means: "The input is larger than a job of this model may have.",
    next: "Send it in parts.",
  },
  internal: {
    means: "The server failed to answer. This is its fault, not the request's.",
    next: "Tell whoever runs the server the instance of the problem: its log has the same id.",
  },
  "job-failed": {
    means: "The job failed before all rows were answered.",
    next: "GET /jobs/ID says why; ?partial=true gives the rows that were answered.",
  },
  "jobs-full": {
    means: "As many jobs wait as the server keeps.",
    next: "Try again after Retry-After.",
  },
  "jobs-of-owner": {
    means: "As many jobs of one owner wait as may wait.",
    next: "Send the next one when one has ended.",
  },
  "jobs-stopped": {
    means: "Jobs are not answered for a moment.",
    next: "Try again after Retry-After.",
  },
  "jobs-unavailable": {
    means: "Jobs cannot be kept at the moment.",
    next: "Try again after Retry-After; the server's log tells why.",
  },
  "key-lost": {
    means: "The result was encrypted with a key that this server does not have any more.",
    next: "Send the job again; whoever runs the server can set SLUICE_JOBS_KEY, so that results outlive a restart.",
  },
  "media-field": {
    means: "A recording or picture came, and it is not clear which field of the model it is.",
    next: "Name it with field=NAME.",
  },
  "media-type": {
    means: "Content-Type is none that this route reads.",
    next: "Send application/json, or what the detail names.",
  },
  "method-not-allowed": {
    means: "The path exists, but not with this method.",
    next: "The Allow header lists the methods.",
  },
  "model-broken": {
    means: "The model could not be loaded.",
    next: "GET /models/ID tells why; whoever runs the server has to mend it.",
  },
  "model-failed": {
    means: "The model could not compute an answer for this input. This is the model's fault, not the request's.",
    next: "Tell whoever runs the server; errors[] says what went wrong.",
  },
  "no-candidate": {
    means: "The roll-out has no candidate that could answer.",
    next: "GET /models/ID/rollout tells its state.",
  },
  "no-feedback": {
    means: "This model takes no labels here.",
    next: "It needs a profile, which the gate writes, and a head with single labels or numbers.",
  },
  "no-jobs": {
    means: "This model takes no jobs.",
    next: "Use POST /models/ID/predict or /predict/batch.",
  },
  "no-owners": {
    means: "Without API keys nobody owns a list of jobs.",
    next: "Keep the address that POST gave: it is all that leads to a job.",
  },
  "no-rollout": {
    means: "No roll-out of this model is here.",
    next: "GET /models lists what is served.",
  },
  "no-stream": {
    means: "This model takes no stream of sound.",
    next: "Use POST /models/ID/predict; a model that takes streams has `segment` in its manifest.",
  },
  "no-such-step": {
    means: "The roll-out has no step of this number.",
    next: "Steps are counted from 0; GET /models/ID/rollout lists them.",
  },
  "no-tensors": {
    means: "The model has no graph on this server, so it has no tensors.",
    next: "Use POST /models/ID/predict.",
  },
  "not-configured": {
    means: "The model's provider lacks a setting on this server, such as a token.",
    next: "Tell whoever runs the server; GET /models/ID names it.",
  },
  "not-finished": {
    means: "The job has no result yet.",
    next: "Wait for it: GET /jobs/ID/events tells its progress.",
  },
  "not-finite": {
    means: "The sound has samples that are no finite numbers.",
    next: "Send PCM samples from -1 to 1, or 16-bit integers.",
  },
  "not-found": {
    means: "Nothing is at this path.",
    next: "GET /openapi.json lists every path.",
  },
  "not-http": {
    means: "What came is not an HTTP request.",
    next: "Check the scheme: an https:// client at an http:// port sends such bytes.",
  },
  "not-ready": {
    means: "The model is still being loaded and checked.",
    next: "Send the request again after Retry-After, or wait for GET /readyz.",
  },
  "not-watched": {
    means: "Nothing is counted of this model, because it has no artifact.",
    next: "Watch models that are served from a graph.",
  },
  "other-rollout": {
    means: "This server holds another roll-out.",
    next: "Look at GET /models/ID/rollout before the next command.",
  },
  "other-state": {
    means: "The evidence that was handed back is not of this roll-out.",
    next: "Hand back what this roll-out gave, or begin without it.",
  },
  "other-step": {
    means: "The roll-out is at another step than the command says.",
    next: "Look at GET /models/ID/rollout, then decide anew.",
  },
  "output-not-finite": {
    means: "The model answered a number that is not finite (NaN or infinity). This is the model's fault.",
    next: "Tell whoever trains the model, with the input.",
  },
  "output-not-probabilities": {
    means: "The model's output is not a distribution, though its manifest says so. This is the model's fault.",
    next: "Tell whoever trains the model, with the input.",
  },
  "output-size": {
    means: "The model's output has another size than its manifest says. This is the model's fault.",
    next: "Tell whoever trains the model, with the input.",
  },
  "owner-full": {
    means: "What is kept for this owner has reached its bound.",
    next: "Delete jobs that are not needed.",
  },
  "quantiles-cross": {
    means: "The model's quantiles are not in order. This is the model's fault.",
    next: "Tell whoever trains the model, with the input.",
  },
  "queue-full": {
    means: "More requests wait than the server keeps.",
    next: "Send the request again after Retry-After, slower.",
  },
  "queue-wait": {
    means: "The request would have waited longer than its time limit.",
    next: "Send the request again after Retry-After, slower.",
  },
  "rate-limit": {
    means: "More came from this key or address in a minute than the server takes.",
    next: "Wait as long as Retry-After says; the RateLimit headers of each answer tell what is left.",
  },
  "remote-busy": {
    means: "The provider of this model has too many requests.",
    next: "Send the request again after Retry-After.",
  },
  "remote-failed": {
    means: "The provider of this model failed or could not be reached.",
    next: "Send the request again later.",
  },
  "remote-refused": {
    means: "The provider of this model refused the request.",
    next: "The detail says why, if the provider does.",
  },
  "request-timeout": {
    means: "The request did not arrive whole in time.",
    next: "Send it again over a faster connection, or smaller.",
  },
  "rollout-command": {
    means: "The command is not one that a roll-out knows.",
    next: "errors[] names the field; docs/rollout.md lists the commands.",
  },
  "rollout-ended": {
    means: "The roll-out has ended; nothing moves it any more.",
    next: "Begin another one by a deployment.",
  },
  "rollout-key": {
    means: "Only the controller of a roll-out may do this.",
    next: "The key stays with the controller: the bot, or the scheduled workflow.",
  },
  "run-failed": {
    means: "The graph does not run with these tensors.",
    next: "GET /v2/models/ID describes names, types and shapes.",
  },
  "slow-client": {
    means: "The client does not read what it is sent, so the stream was ended.",
    next: "Read every message of the stream while sending.",
  },
  "sound-too-long": {
    means: "The sound is longer than the model takes.",
    next: "Send it in parts, or raise maxSeconds in the manifest.",
  },
  "static-batch": {
    means: "The graph takes another number of rows at a time.",
    next: "Send as many rows as the first axis of its inputs says.",
  },
  "storage-full": {
    means: "There is no space for the input until earlier jobs are deleted.",
    next: "Delete jobs that are not needed, or try again after Retry-After.",
  },
  "stream-too-long": {
    means: "The stream has lasted longer than the server allows.",
    next: "End it and open another; whoever runs the server can raise the limit.",
  },
  tensor: {
    means: "A tensor's data does not fit its type or shape.",
    next: "The detail names the tensor and the place.",
  },
  "text-id": {
    means: "The model wrote a token that its vocabulary lacks. This is the model's fault.",
    next: "Tell whoever trains the model, with the input.",
  },
  "too-many-parts": {
    means: "The form has more parts than the server takes.",
    next: "Send one part for each field of the model.",
  },
  "too-many-rows": {
    means: "The batch has more rows than the server takes at once.",
    next: "Send it in parts.",
  },
  "too-many-streams": {
    means: "As many streams are open as the server keeps.",
    next: "Try again after Retry-After.",
  },
  "tus-version": {
    means: "The upload uses another version of the tus protocol.",
    next: "Send Tus-Resumable: 1.0.0.",
  },
  "unknown-format": {
    means: "Nothing tells how the input is to be read.",
    next: "Say it in Content-Type, or with format=csv, jsonl, json, parquet or media.",
  },
  "unknown-job": {
    means: "No such job of yours is kept here.",
    next: "It may have expired or been deleted, or belong to another key; send it again.",
  },
  "unknown-model": {
    means: "No model of this name is served here.",
    next: "GET /models lists them.",
  },
  "unknown-upload": {
    means: "No such upload of yours is kept here.",
    next: "It may have expired; begin a new one.",
  },
  "unknown-version": {
    means: "The model has another version here.",
    next: "GET /models/ID tells it; leave the version out to take what is served.",
  },
  upgrade: {
    means: "This route is a WebSocket, and the request was plain HTTP.",
    next: "Connect with ws:// or wss://.",
  },
  "upload-length": {
    means: "The upload does not say how long it is.",
    next: "Send Upload-Length with the number of bytes.",
  },
  "upload-metadata": {
    means: "Upload-Metadata is not as the tus protocol says.",
    next: "Send pairs of a name and its value in base64, with commas between.",
  },
  "upload-offset": {
    means: "The bytes do not begin where the upload stands.",
    next: "Ask HEAD of the upload for Upload-Offset, and go on from there.",
  },
  "upload-too-large": {
    means: "The upload is longer than the server takes.",
    next: "Send the file in parts, or compressed; whoever runs the server can raise the limit.",
  },
  "upload-unfinished": {
    means: "The upload is not complete, or is the input of another job already.",
    next: "Send the rest of it first.",
  },
  "url-too-long": {
    means: "A part of the path is longer than the server takes.",
    next: "Check the model's name.",
  },
} as const satisfies Record<string, { means: string; next: string }>;

export type ProblemCode = keyof typeof problemTypes;

export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemTypes, code);
}

/** Where a code is explained. */
export const problemPath = (code: string): string => `/problems/${code}`;
