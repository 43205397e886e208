"""From YAML text to plays and checks, with a place in a file for every mistake."""
