"""`--lsp`: the language server, over standard input and output."""

from __future__ import annotations

from pybuild.cli.frontend import is_makefile
from pybuild.cli.options import UsageError

OK = 0


def lsp() -> int:
    """Serves one editor until it ends. Raises UsageError if what the server needs is missing."""
    try:
        from pybuild.lsp.features import serve
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("pybuild"):
            raise
        raise UsageError(
            f"`--lsp` needs the package {error.name}: pip install 'pybuild[editor]'"
        ) from None
    serve(is_makefile)
    return OK
