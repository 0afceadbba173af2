"""The edges: viewers over SSE and Socket.IO."""
