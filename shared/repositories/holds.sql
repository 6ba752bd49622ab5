-- name: place(request)^
-- Place a hold: see registry.place_hold.
SELECT placed.outcome, (placed.hold).* FROM registry.place_hold(:request) AS placed;

-- name: release(request)^
-- Release a hold: see registry.release_hold.
SELECT released.* FROM registry.release_hold(:request) AS released;

-- name: get(hold_id)^
SELECT hold_id, artifact_id, asset_id, selector, reason, owner, until, placed_at, released_at, released_by
FROM registry.holds
WHERE hold_id = :hold_id;

-- name: page(before_id, limit)
-- Holds, newest first, released ones too.
SELECT hold_id, artifact_id, asset_id, selector, reason, owner, until, placed_at, released_at, released_by
FROM registry.holds
WHERE hold_id < :before_id
ORDER BY hold_id DESC
LIMIT :limit;

-- name: unreleased_page(before_id, limit)
-- Those that nobody has released, newest first.
SELECT hold_id, artifact_id, asset_id, selector, reason, owner, until, placed_at, released_at, released_by
FROM registry.holds
WHERE hold_id < :before_id AND released_at IS NULL
ORDER BY hold_id DESC
LIMIT :limit;
