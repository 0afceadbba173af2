"""HTTP requests to addresses that users give: which may be called, and the client that calls them."""
