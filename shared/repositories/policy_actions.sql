-- name: kind_of(artifact_id)^
-- What is wanted of an artifact; no row where nothing is.
SELECT run.policy ->> 'kind' AS kind
FROM registry.policy_actions AS claim JOIN registry.policy_runs AS run USING (run_id)
WHERE claim.artifact_id = :artifact_id AND claim.outcome IS NULL;

-- name: judge(artifact_id, at)^
-- The claim on an artifact and what its policy makes of it now: see registry.judge_claim.
SELECT run_id, policy, verdict, clock_at, revision_rank, bytes FROM registry.judge_claim(:artifact_id, :at);

-- name: settle(artifact_id, outcome, reason, bytes)^
-- Say what came of a claim, once; answers with its run.
UPDATE registry.policy_actions SET outcome = :outcome, reason = CAST(:reason AS text), bytes = CAST(:bytes AS bigint)
WHERE artifact_id = :artifact_id AND outcome IS NULL
RETURNING run_id;

-- name: take_unsent(at, again_at, limit, most_sends, given_up)
-- Claims whose message is to be sent now, and again then if nothing came of it. After so many messages a claim has failed.
UPDATE registry.policy_actions AS sent
SET send_after = :again_at, sends = sent.sends + 1,
    outcome = CASE WHEN sent.sends >= :most_sends THEN 'failed' END,
    reason = CASE WHEN sent.sends >= :most_sends THEN CAST(:given_up AS text) END
WHERE sent.artifact_id = ANY (ARRAY(
    SELECT claim.artifact_id FROM registry.policy_actions AS claim
    WHERE claim.outcome IS NULL AND claim.send_after <= :at
    ORDER BY claim.send_after, claim.artifact_id LIMIT :limit FOR UPDATE SKIP LOCKED))
RETURNING sent.artifact_id, sent.outcome IS NULL AS is_wanted;

-- name: send_now(run_id, at)!
-- Leave what a run still wants to messages.
UPDATE registry.policy_actions SET send_after = :at
WHERE artifact_id = ANY (ARRAY(
    SELECT claim.artifact_id FROM registry.policy_actions AS claim
    WHERE claim.run_id = :run_id AND claim.outcome IS NULL AND claim.send_after > :at
    ORDER BY claim.artifact_id FOR UPDATE SKIP LOCKED));
