-- What becomes of a message that was set aside: tried again, replayed, or discarded. No row is removed.

SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE registry.set_aside_messages
    ADD COLUMN state text NOT NULL DEFAULT 'open',
    -- Of the delivery: the same each time that a queue delivers one message, null where that is not known.
    ADD COLUMN delivery_id uuid,
    -- Counts messages of these bytes that were set aside. A replay ends no other than that which it took.
    ADD COLUMN arrivals integer NOT NULL DEFAULT 1,
    ADD COLUMN replays integer NOT NULL DEFAULT 0,
    ADD COLUMN last_tried_at timestamptz,
    ADD COLUMN ended_at timestamptz,
    ADD COLUMN ended_by text;

-- Not looked at in rows that are there: these have the defaults.
ALTER TABLE registry.set_aside_messages
    ADD CONSTRAINT set_aside_state_known
        CHECK (state IN ('open', 'replaying', 'replayed', 'discarded')) NOT VALID,
    ADD CONSTRAINT set_aside_ended_when
        CHECK ((state IN ('replayed', 'discarded')) = (ended_at IS NOT NULL)
           AND (ended_at IS NULL) = (ended_by IS NULL)) NOT VALID,
    ADD CONSTRAINT set_aside_ended_by_length CHECK (char_length(ended_by) BETWEEN 1 AND 255) NOT VALID,
    ADD CONSTRAINT set_aside_counts CHECK (arrivals >= 1 AND replays >= 0) NOT VALID;

-- Sources and reasons are few: lists are read off this one, whatever is asked for.
CREATE INDEX set_aside_messages_listed
    ON registry.set_aside_messages (state, source, reason, set_aside_at, set_aside_id);
DROP INDEX registry.set_aside_messages_by_time;
