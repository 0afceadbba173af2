"""HTTP requests to URLs of users: which URLs are allowed, and the client."""
