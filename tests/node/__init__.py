"""Tests on a real node."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.verdicts")
