"""Socket.IO: who connects, which rooms a socket joins, what it may send, and the adapter to the library's inside."""
