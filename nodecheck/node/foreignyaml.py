"""The YAML of others, such as Kubernetes: read as they read it, not strictly as ours is."""

from __future__ import annotations

from typing import Any


def first_document(text: bytes | str) -> Any:
    """Return the data of the first document, None of an empty text. Raises ValueError, which says what is wrong."""
    import yaml

    try:
        return next(yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)), None)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError(f"it is no YAML: {(str(error) or type(error).__name__).splitlines()[0]}") from error
