-- name: fold_changes(most, at_least)^
-- Fold some of the changes into the totals: see registry.fold_changes.
SELECT registry.fold_changes(:most, :at_least) AS folded;

-- name: read_statistics(client_type)
-- Figures by status, of one client or of all: see registry.read_statistics.
SELECT * FROM registry.read_statistics(:client_type);
