"""What the middleware looks at before a request is let in."""
