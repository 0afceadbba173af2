"""Reports over HTTP: a thread sends what tasks say, in order and once, and none of them waits for it.

``client`` takes what is said and puts it into a ``buffer``. The ``sender``'s thread takes it from there: the ``outbox``
makes batches, whose content an ``envelope`` collects (``encoding``, ``plain``); a ``delivery`` posts them over the
``connection`` and does what the answer says, and ``listeners`` hear of cancels. While the server is away
(``availability``) batches wait in memory, then in a ``segment``, which is a file of the ``spool``. A ``backlog`` sends
what other processes left there, as does ``sync``.
"""

from __future__ import annotations

from taskroom._transport.client import Client
from taskroom._transport.settings import NotConfigured, Settings
from taskroom._transport.sync import Synced, sync

__all__ = ["Client", "NotConfigured", "Settings", "Synced", "sync"]
