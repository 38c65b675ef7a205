"""What a user can set in the editor."""

from __future__ import annotations

from pybuild.typed import Any, NamedTuple

TY, JEDI = "ty", "jedi"


class Settings(NamedTuple):
    """Which hints and lenses are shown, and who is asked about Python. `python_server` is that of
    the two which goes first; ty is asked only where it is installed."""

    job_hints: bool = True
    value_hints: bool = True
    lenses: bool = True
    python_server: str = TY
    python_diagnostics: bool = True


def settings_of(told: Any) -> Settings:
    """The settings in what a client tells at the start, or when they change (there they stand under
    `pybuild`): `{"inlayHints": {"jobs": true, "values": true}, "codeLens": true, "python":
    {"server": "ty", "diagnostics": true}}`. What is not said, or said wrongly, is as usual."""
    found = _object(_object(told).get("pybuild", told))
    hints = _object(found.get("inlayHints"))
    python = _object(found.get("python"))
    server = python.get("server")
    usual = Settings()
    return Settings(
        _flag(hints.get("jobs"), usual.job_hints),
        _flag(hints.get("values"), usual.value_hints),
        _flag(found.get("codeLens"), usual.lenses),
        server if server in (TY, JEDI) else usual.python_server,
        _flag(python.get("diagnostics"), usual.python_diagnostics),
    )


def _object(value: Any) -> dict[str, Any]:
    """A JSON object, as a dictionary; pygls may give one with attributes."""
    if isinstance(value, dict):
        return value
    return dict(value._asdict()) if hasattr(value, "_asdict") else {}


def _flag(value: Any, usual: bool) -> bool:
    return value if isinstance(value, bool) else usual
