"""What came out of a build: `summarise` collects it as plain values, `as_text` writes it on one screen."""

from snnir.report.summary import summarise_build
from snnir.report.text import as_text

__all__ = ["as_text", "summarise_build"]
