"""Results, and the formats that a report is printed in: one file a format."""
