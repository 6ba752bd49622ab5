-- name: hold(build_id, name)^
-- Hold a build whose variable is to be set: see registry.hold_variable.
SELECT * FROM registry.hold_variable(:build_id, :name);

-- name: put(request)^
-- Set a variable: see registry.put_variable.
SELECT kept.* FROM registry.put_variable(:request) AS kept;

-- name: remove(request)^
-- Forget a variable: see registry.remove_variable.
SELECT registry.remove_variable(:request) AS outcome;

-- name: of_build(build_id)
-- All variables by name; of a build that has none a row without a name, of no build none.
SELECT variable.name, variable.value, variable.is_set, variable.sensitive, variable.required_for_resume,
    variable.created_at, variable.updated_at
FROM registry.runs AS run
LEFT JOIN registry.run_variables AS variable USING (run_id)
WHERE run.run_id = :build_id AND run.run_type = 'build'
ORDER BY variable.name;
