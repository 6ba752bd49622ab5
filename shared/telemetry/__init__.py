"""What the registry tells of its own work: traces, metrics and lines in the log."""
