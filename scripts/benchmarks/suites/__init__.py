"""The suites: each module measures one thing and lists its commands in COMMANDS."""
