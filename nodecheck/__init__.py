"""nodecheck: a declarative health checker for Kubernetes and Docker nodes."""

__version__ = "0.1.0"
