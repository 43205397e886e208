"""The bench: how fast nodecheck is on a real node, side by side with goss. `make bench` runs it."""

import os
import sys

# The folder of the tests, from which they say `from node.machine import ...`.
sys.path.insert(0, os.path.dirname(os.path.dirname(__file__)))
