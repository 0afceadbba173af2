"""Socket.IO: connecting, joining rooms, limits of what a socket may send, and the adapter to the library's inside."""
