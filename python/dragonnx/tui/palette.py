"""The list of all actions: found by any words of their names, keys and descriptions."""

from __future__ import annotations

from rich.text import Text
from textual.command import DiscoveryHit, Hit, Hits, Provider


class ActionProvider(Provider):
    """Offers what the application calls its system commands."""

    async def discover(self) -> Hits:
        """All of them, by name, before anything is typed."""
        for name, help_text, run, _ in sorted(
            self.app.get_system_commands(self.screen), key=lambda command: command[0]
        ):
            yield DiscoveryHit(name, run, help=help_text)

    async def search(self, query: str) -> Hits:
        """Those whose name is like the query, then those that have each of its words somewhere."""
        matcher, words = self.matcher(query), query.casefold().split()
        for name, help_text, run, _ in self.app.get_system_commands(self.screen):
            known = f"{Text.from_markup(name).plain} {help_text}".casefold()
            if (score := matcher.match(name)) > 0:
                yield Hit(1 + score, matcher.highlight(name), run, help=help_text)
            elif words and all(word in known for word in words):
                yield Hit(0.5, name, run, help=help_text)
