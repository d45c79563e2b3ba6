"""The one error that users see: a place, what is wrong, how to fix it."""

from pathlib import Path


class SnnirError(Exception):
    """Bad input or a limit that cannot be met.

    `place` is where in the user's files (`net.snn:12:5`, `model.nir:/nodes/lif1`), `message` what is wrong, `hint` how
    to fix it, `excerpt` the line of the user's text with a caret under the place (two lines, indented) where there is
    one. Printed by every command in this order, exit code 1, without a traceback.
    """

    def __init__(self, place: str | Path, message: str, hint: str = "", excerpt: str = "") -> None:
        self.place = str(place)
        self.message = message
        self.hint = hint
        self.excerpt = excerpt
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [f"{self.place}: error: {self.message}", self.excerpt, f"  fix: {self.hint}" if self.hint else ""]
        return "\n".join(line for line in lines if line)
