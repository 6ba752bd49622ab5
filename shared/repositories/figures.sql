-- name: read_figures(client_type, first_day, most)
-- Figures by value and by day, of one client or of all: see registry.read_figures.
SELECT * FROM registry.read_figures(CAST(:client_type AS text), :first_day, :most);

-- name: read_errors(first_day, most)
-- Failed attempts by operation: see registry.read_errors.
SELECT * FROM registry.read_errors(:first_day, :most);
