"""What the suites share: rows, runs, precision by label, and worker processes."""
