"""The one window on the machine."""
