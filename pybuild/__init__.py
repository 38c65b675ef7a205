"""pybuild: a make-compatible build tool for programs, data and models."""

__version__ = "0.1.0"

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pybuild.api import JobsFailed, Pipeline, PipelineError

__all__ = ["JobsFailed", "Pipeline", "PipelineError"]


def __getattr__(name: str) -> object:
    # The command line has no use for what Python programs import.
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("pybuild.api"), name)
    raise AttributeError(f"module `pybuild` has no attribute `{name}`")
