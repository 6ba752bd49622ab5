-- name: page(request)
-- A page of a list, and where it goes on: see registry.list_page.
SELECT next_at, next_id, artifact FROM registry.list_page(:request);
