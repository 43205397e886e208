"""Order, time and status: what runs, when it must end, and what became of it."""
