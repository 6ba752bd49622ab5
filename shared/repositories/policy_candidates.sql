-- name: page(policy, stream, cutoff, at, after_at, after_id, limit)
-- What is due of a stream, with the policy's verdict on each: see registry.policy_page.
SELECT artifact_id, clock_at, verdict, revision_rank, bytes, storage_tier, tier_since
FROM registry.policy_page(:policy, :stream, :cutoff, :at, :after_at, :after_id, :limit, is_told => true);
