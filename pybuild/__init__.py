"""pybuild: a make-compatible build tool for programs, data and models."""

__version__ = "0.1.0"
