-- name: read(first_day, last_day)
-- What lay where at the end of each day: see registry.read_byte_days.
SELECT * FROM registry.read_byte_days(:first_day, :last_day);
