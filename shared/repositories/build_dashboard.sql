-- name: fold_changes(most, at_least)^
-- Fold some of the changes into the totals: see registry.fold_run_changes.
SELECT registry.fold_run_changes(:most, :at_least) AS folded;

-- name: read_totals(project, most)
-- Figures of one project, or of all builds: see registry.read_run_totals.
SELECT * FROM registry.read_run_totals(CAST(:project AS text), :most);

-- name: durations(most)
-- How long attempts took: see registry.state_durations.
SELECT * FROM registry.state_durations(:most);
