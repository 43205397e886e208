"""Stand-ins for modules that PyGObject and pydbus import for what is never done here.

They are more than half of what loading those two takes: PyGObject 3.50 loads asyncio for those who await, pydbus loads
inspect, ElementTree and more for proxies and for objects of one's own. Whatever is asked of a stand-in, beside the
names that those two look up while they are imported, loads the module itself.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

NAMES: dict[str, dict[str, Any]] = {
    # PyGObject asks for an event loop each time that it waits: there is none, and it takes whatever is raised for that.
    "asyncio": {
        "InvalidStateError": type("InvalidStateError", (Exception,), {}),
        "_get_running_loop": lambda: None,
        "get_event_loop_policy": lambda: None,
    },
    "inspect": {name: type(name, (), {}) for name in ("Parameter", "Signature", "signature")},
    "logging": {},
    "traceback": {},
    "xml.etree.ElementTree": {},
}


def put_off() -> None:
    """Put the stand-ins in the place of those modules that are not there yet. For a process that ends soon."""
    for module, names in NAMES.items():
        sys.modules.setdefault(module, _StandIn(module, names))


class _StandIn(ModuleType):
    def __init__(self, module: str, names: dict[str, Any]) -> None:
        super().__init__(module)
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks whether it is a package
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(import_module(self.__name__), name)
