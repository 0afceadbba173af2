"""The compared servers: Taskroom and its peers, each restarted for every run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bench.figures import OURS
from bench.stand import Ours, Server, Stand


class Contender(Protocol):
    """A peer. ``missing`` is the reason why it cannot be started, in a few words; empty when it can."""

    name: str
    wires: tuple[str, ...]

    def missing(self) -> str: ...

    def start(self, stand: Stand) -> AbstractContextManager[Server]: ...


@dataclass(slots=True)
class Contest:
    stand: Stand
    peers: list[Contender]
    absent: dict[str, str] = field(default_factory=dict)

    def servers(self, wire: str) -> Iterator[AbstractContextManager[Server]]:
        """Yields Taskroom, then each available peer with this wire."""
        yield self.stand.ours()
        for peer in self.peers:
            if wire in peer.wires and not self._lacks(peer):
                yield peer.start(self.stand)

    def _lacks(self, peer: Contender) -> bool:
        if peer.name not in self.absent and (why := peer.missing()):
            self.absent[peer.name] = why
        return peer.name in self.absent

    @contextmanager
    def ours(self, **settings: str) -> Iterator[Ours]:
        with self.stand.ours(**settings) as server:
            assert server.name == OURS
            yield server
