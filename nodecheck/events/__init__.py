"""Events: what a run tells the place where logs are gathered."""
