/** Each entry is run once, in order, in one transaction. Entries are never edited; a change is a new entry. */
export const migrations: readonly string[] = [
  `
  -- Updates as they came. update_id is Telegram's own, so an update is taken once however often it is delivered.
  CREATE TABLE updates (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, update_id INTEGER NOT NULL UNIQUE, chat INTEGER NOT NULL, body TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done')), attempts INTEGER NOT NULL DEFAULT 0, received_at INTEGER NOT NULL
  );
  CREATE INDEX updates_waiting ON updates (seq) WHERE state = 'waiting';

  -- Every message of the bot's, as it should read (wanted) and whether it does (shown). The outbox.
  CREATE TABLE messages (
    key TEXT PRIMARY KEY, chat INTEGER NOT NULL, topic INTEGER, message_id INTEGER, content TEXT NOT NULL, silent INTEGER NOT NULL,
    wanted INTEGER NOT NULL, shown INTEGER NOT NULL DEFAULT 0, changed_seq INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'shown', 'dead')), after_id INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, reason TEXT, created_at INTEGER NOT NULL
  );
  CREATE INDEX messages_open ON messages (changed_seq) WHERE state IN ('waiting', 'sending');
  CREATE INDEX messages_place ON messages (chat, message_id);
  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);

  -- The greatest message_id seen in a chat, and where a group went that became a supergroup.
  CREATE TABLE chats (chat INTEGER PRIMARY KEY, last_message_id INTEGER NOT NULL, moved_to INTEGER);
  -- Messages of people's, for a day: what is neither theirs nor known as ours may be one whose sending was cut off.
  CREATE TABLE heard (chat INTEGER NOT NULL, message_id INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (chat, message_id)) WITHOUT ROWID;

  CREATE TABLE nonces (
    id TEXT PRIMARY KEY, family TEXT NOT NULL, chat INTEGER NOT NULL, user INTEGER, press TEXT NOT NULL, single INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, used_at INTEGER, used_by INTEGER
  );
  CREATE INDEX nonces_family ON nonces (family);

  -- What people asked for that acts on GitHub: intent first, then the act, then its result.
  CREATE TABLE actions (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, detail TEXT NOT NULL, sha TEXT NOT NULL, digest TEXT NOT NULL,
    initiator INTEGER NOT NULL, approvers TEXT NOT NULL, needed INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('collecting', 'wanted', 'started', 'done', 'failed', 'refused', 'unsure', 'cancelled')),
    message_key TEXT NOT NULL, result TEXT, created_at INTEGER NOT NULL, started_at INTEGER, expires_at INTEGER NOT NULL
  );
  CREATE INDEX actions_open ON actions (created_at) WHERE state IN ('wanted', 'started');

  CREATE TABLE subscriptions (chat INTEGER NOT NULL, topic INTEGER, model TEXT NOT NULL, event TEXT NOT NULL, PRIMARY KEY (chat, model, event));
  CREATE TABLE mutes (chat INTEGER NOT NULL, model TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (chat, model));
  CREATE TABLE digests (chat INTEGER PRIMARY KEY, topic INTEGER);
  CREATE TABLE seen (kind TEXT NOT NULL, id TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (kind, id));
  CREATE TABLE links (user INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE COLLATE NOCASE, github_id INTEGER NOT NULL, sealed_token TEXT, linked_at INTEGER NOT NULL);
  CREATE TABLE linking (user INTEGER PRIMARY KEY, device_code TEXT NOT NULL, message_key TEXT NOT NULL, interval_ms INTEGER NOT NULL, next_at INTEGER NOT NULL, expires_at INTEGER NOT NULL);

  -- Append-only: each row carries the hash of the one before it, and neither can be changed or deleted.
  CREATE TABLE audit (seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, user INTEGER, login TEXT, event TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL);
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit table is append-only'); END;
`,
  `
  -- Buttons of the bot's under cards that actions/notify keeps: one row for each environment that a run waits for, in each chat.
  CREATE TABLE cards (
    key TEXT PRIMARY KEY, run INTEGER NOT NULL, environment TEXT NOT NULL, chat INTEGER NOT NULL, message_id INTEGER NOT NULL, model TEXT NOT NULL,
    sha TEXT NOT NULL, run_url TEXT NOT NULL, pull_request INTEGER, edited INTEGER NOT NULL, links TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asking', 'acting', 'again', 'decided', 'closed')), brief TEXT, rows TEXT NOT NULL,
    asked_at INTEGER NOT NULL, expires_at INTEGER, changed_at INTEGER NOT NULL
  );
  CREATE INDEX cards_open ON cards (run) WHERE state <> 'closed';
  CREATE INDEX actions_collecting ON actions (expires_at) WHERE state = 'collecting';
  CREATE INDEX cards_place ON cards (chat, message_id);
`,
  `
  -- What a send whose end is not known carried: the message may be wanted otherwise by the time it is looked for.
  ALTER TABLE messages ADD COLUMN sent TEXT;
`,
  `
  -- What a question shows besides commit and report: figures, what is live, links.
  ALTER TABLE actions ADD COLUMN about TEXT NOT NULL DEFAULT '[]';
  -- Alerts and questions go before answers.
  ALTER TABLE messages ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0;
  -- Updates of one lane are handled one after the other: a person's commands in a chat, or their presses there.
  ALTER TABLE updates ADD COLUMN lane TEXT NOT NULL DEFAULT '';
  UPDATE updates SET lane = CAST(chat AS TEXT);
  -- Who muted.
  ALTER TABLE mutes ADD COLUMN user INTEGER;
  CREATE INDEX chats_moved ON chats (moved_to) WHERE moved_to IS NOT NULL;
`,
  `
  -- Updates are kept as Telegram sent them, for Telegraf. Those that wait in the earlier form become such ones; json_patch
  -- drops what is null.
  UPDATE updates SET body = json_patch('{}', json_object(
    'update_id', update_id,
    CASE body ->> '$.act.kind' WHEN 'text' THEN 'message' ELSE 'callback_query' END,
    CASE body ->> '$.act.kind'
      WHEN 'text' THEN json_object(
        'message_id', body ->> '$.messageId', 'chat', json_object('id', chat, 'type', iif(body ->> '$.privateChat', 'private', 'supergroup')),
        'from', json_object('id', body ->> '$.user', 'is_bot', json('false'), 'first_name', body ->> '$.name'),
        'message_thread_id', body ->> '$.topic', 'is_topic_message', json(iif(body ->> '$.topic' IS NULL, 'false', 'true')),
        'text', body ->> '$.act.text',
        'entities', json_array(json_object('type', 'bot_command', 'offset', 0, 'length', instr(replace(body ->> '$.act.text', char(10), ' ') || ' ', ' ') - 1)))
      ELSE json_object(
        'id', body ->> '$.act.query', 'data', body ->> '$.act.data',
        'from', json_object('id', body ->> '$.user', 'is_bot', json('false'), 'first_name', body ->> '$.name'),
        'message', json_object(
          'message_id', body ->> '$.messageId', 'chat', json_object('id', chat, 'type', iif(body ->> '$.privateChat', 'private', 'supergroup')),
          'message_thread_id', body ->> '$.topic', 'is_topic_message', json(iif(body ->> '$.topic' IS NULL, 'false', 'true'))))
    END))
  WHERE state = 'waiting' AND body ->> '$.act.kind' IS NOT NULL;
  -- The message that an answer in a group replies to.
  ALTER TABLE messages ADD COLUMN reply_to INTEGER;
`,
  `
  -- The watch of live Spaces: what was told and by whom it was seen, the counts, and one point an hour.
  CREATE TABLE watches (model TEXT PRIMARY KEY, entry TEXT NOT NULL, state TEXT NOT NULL);
  CREATE TABLE watch_points (model TEXT NOT NULL, hour INTEGER NOT NULL, drift REAL, error REAL, PRIMARY KEY (model, hour)) WITHOUT ROWID;
`,
  `
  -- Status messages that are kept up to date and pinned, one for each chat.
  CREATE TABLE pins (chat INTEGER PRIMARY KEY, topic INTEGER, pinned INTEGER, written_at INTEGER NOT NULL DEFAULT 0);
`,
];
