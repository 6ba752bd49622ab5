-- name: put(request)^
-- Keep a catalogue: see registry.put_project.
SELECT kept.* FROM registry.put_project(:request) AS kept;

-- name: remove(request)^
-- Forget a catalogue: see registry.remove_project.
SELECT registry.remove_project(:request) AS is_removed;

-- name: get(name)^
SELECT name, states, created_at, updated_at FROM registry.projects WHERE name = :name;

-- name: page(after, limit)
-- Projects by name.
SELECT name, states, created_at, updated_at
FROM registry.projects
WHERE name > :after
ORDER BY name
LIMIT :limit;
