-- name: set_aside(set_aside_id, source, body, reason, explanation, set_aside_at)!
-- Keep a message that can never succeed; the same message again is the same row.
INSERT INTO registry.set_aside_messages (set_aside_id, source, body, reason, explanation, set_aside_at)
VALUES (:set_aside_id, :source, :body, :reason, :explanation, :set_aside_at)
ON CONFLICT (set_aside_id) DO NOTHING;
