"""Programs that run in environments of their own; they import of textae only what they measure."""
