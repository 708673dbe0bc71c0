"""Programs that run in environments of their own, beside textae: they import nothing of it but what they measure."""
